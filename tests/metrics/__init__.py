"""Tests of the metrics of events."""
