"""SIGKILL again and again, in every state of a session and with both profiles."""

from pathlib import Path

import pytest

from tests.cluster.conftest import Report
from tests.cluster.rig import Rig
from tests.cluster.waves import wave

# Half of all at once: more do not start in time on two cores.
WAVES = [range(13), range(13, 26)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("numbers", WAVES, ids=lambda numbers: f"{numbers[0]}-{numbers[-1]}")
def test_containers_end_and_objects_are_reaped(
    clean: Rig, tmp_path: Path, numbers: range, report: Report
) -> None:
    """Whenever igpipe dies, containers end in time and the next igpipe cleans up."""
    wave(clean, tmp_path, numbers, report)
