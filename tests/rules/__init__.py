"""Tests of recording rules and alerts."""
