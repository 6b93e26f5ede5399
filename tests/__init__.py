"""Tests of igpipe: a folder for each room."""
