"""Getting ready to run."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from igpipe.cli.common import prepare


@pytest.fixture
def _restored() -> Iterator[None]:
    """Put the process' logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_restored")
def test_prepare_logs_as_the_configuration_says(tmp_path: Path) -> None:
    """After it the level is the file's."""
    path = tmp_path / "a.yaml"
    path.write_text("log: {level: error}")
    assert prepare(path).log.level == "error"
    assert logging.getLogger().level == logging.ERROR
