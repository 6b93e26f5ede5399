"""Tests of igpipe.stream."""
