"""Tests of a stream on its way through the stages, and of what they share."""
