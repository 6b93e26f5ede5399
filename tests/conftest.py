"""What every test gets: nothing left behind by others, and patience on a busy machine."""

import asyncio
import gc
import inspect
import logging
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is must not decide whether a test passes. Everyday runs try fewer examples,
# which differ from run to run; `make test-long` tries many.
settings.register_profile(
    "igpipe",
    deadline=None,
    max_examples=500 if os.environ.get("IGPIPE_LONG") else 25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("igpipe")


@pytest.fixture(autouse=True)
def _no_task_left(request: pytest.FixtureRequest) -> None:
    """Fail a test that leaves a task pending; those that start no loop need none for that."""
    if inspect.iscoroutinefunction(request.function):
        request.getfixturevalue("_tasks")


@pytest.fixture
async def _tasks() -> AsyncIterator[None]:
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


def pytest_collection_finish() -> None:
    """Let the garbage collector leave out what stays for the run."""
    gc.freeze()
