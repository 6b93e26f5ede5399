"""What every test gets: nothing left behind by others, and patience on a busy machine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is must not decide whether a test passes.
settings.register_profile("igpipe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("igpipe")


@pytest.fixture(autouse=True)
async def _no_task_left(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Fail a test that leaves a task pending."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks left behind: {left}"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """
    Take out the handler and the level that a command set up in this process.

    Its stream is closed with the command; each later record would then print two tracebacks.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler and handler not in handlers:
            root.removeHandler(handler)
    root.setLevel(level)
