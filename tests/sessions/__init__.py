"""Tests of sessions: the rota, the manifest, the Lease, visits, the reaper and rotation."""
