"""What every test gets: a check that it leaves no task behind, and patience on a busy machine."""

import asyncio
from collections.abc import AsyncIterator

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
