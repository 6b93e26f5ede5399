"""Tests of decoding: lines, notices, names, recorded input."""
