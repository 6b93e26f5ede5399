"""Tests of the adapter: pure parts by plain calls, the rest against small servers on loopback."""
