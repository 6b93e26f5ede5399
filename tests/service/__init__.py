"""Tests of the whole service against the simulated cluster, in virtual time."""
