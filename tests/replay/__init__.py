"""Tests of replaying recordings, against counts by the standard library."""
