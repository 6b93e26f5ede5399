"""SIGKILL in the middle of sessions: what bounds them does not need igpipe."""

from pathlib import Path

import pytest

from tests.cluster.conftest import Report
from tests.cluster.rig import Rig
from tests.cluster.waves import MOMENTS, wave


@pytest.mark.timeout(600)
def test_containers_end_and_objects_are_reaped(clean: Rig, tmp_path: Path, report: Report) -> None:
    """Killed in every state of a session, with either profile in turns."""
    wave(clean, tmp_path, range(len(MOMENTS)), report)
