"""What sections must say together."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from igpipe.config import Config, FileSink, RotationConfig, SessionConfig


def test_the_tree_is_frozen() -> None:
    """No part can change what another was built from."""
    with pytest.raises(ValidationError, match="frozen"):
        Config().web.port = 1  # type: ignore[misc]  # refused, as it must be


def test_sinks_have_distinct_names() -> None:
    """Accounts are kept by name."""
    sink = FileSink(name="a", path=Path("/x"))
    with pytest.raises(ValidationError, match="distinct names"):
        Config(sinks=(sink, sink))


def test_a_session_is_shorter_than_the_period() -> None:
    """Otherwise looks at one node would overlap."""
    with pytest.raises(ValidationError, match="shorter than"):
        Config(session=SessionConfig(duration=60), rotation=RotationConfig(period=60))


def test_no_number_is_infinite() -> None:
    """An endless period would never come."""
    with pytest.raises(ValidationError, match="finite"):
        RotationConfig(period=float("inf"))
