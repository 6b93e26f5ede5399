"""Tests of node selection."""
