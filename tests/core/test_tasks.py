"""Lifetimes as blocks: every way a block, a job or a clean-up can end."""

import asyncio

import pytest

from igpipe.tasks import TaskEnded, background, collect, finish
from tests import virtual


async def _forever() -> None:
    await asyncio.Event().wait()


async def _crash() -> None:
    raise ValueError("job")


async def _nothing() -> None:
    return None


async def test_background_cancels_its_jobs_when_the_block_ends() -> None:
    """After the block _nothing of it runs any more."""
    async with background(job=_forever):
        await asyncio.sleep(0)
    assert [t for t in asyncio.all_tasks() if t.get_name() == "job"] == []


async def test_background_ends_the_block_when_a_job_crashes() -> None:
    """A crash of a job cancels the body and leaves as an exception group."""
    with pytest.raises(ExceptionGroup) as caught:
        async with background(job=_crash):
            await _forever()
    assert caught.group_contains(ValueError, match="job")


async def test_background_treats_a_returning_job_as_a_bug() -> None:
    """An endless job that returns names itself."""
    with pytest.raises(ExceptionGroup) as caught:
        async with background(watcher=_nothing):
            await _forever()
    assert caught.group_contains(TaskEnded, match="watcher")


async def test_background_lets_the_bodys_error_through_and_ends_its_jobs() -> None:
    """The body's own error cancels the jobs."""
    with pytest.raises(ExceptionGroup) as caught:
        async with background(job=_forever):
            raise KeyError("body")
    assert caught.group_contains(KeyError)


async def test_background_passes_a_cancellation_on() -> None:
    """Cancelling the owner ends the block and its jobs."""

    async def owner() -> None:
        async with background(job=_forever):
            await _forever()

    task = asyncio.create_task(owner())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_collect_returns_results_by_name() -> None:
    """Each job's result is found under its name."""

    async def value(x: int) -> int:
        return x

    assert await collect({"a": lambda: value(1), "b": lambda: value(2)}) == {"a": 1, "b": 2}


def test_finish_completes_a_cleanup_that_is_cancelled_twice() -> None:
    """Neither the first nor the second cancel cuts a clean-up short, and neither is lost."""
    done = []

    async def cleanup() -> None:
        await asyncio.sleep(5)
        done.append(True)

    async def main() -> None:
        task = asyncio.create_task(finish(cleanup(), within=10))
        for _ in range(2):
            await asyncio.sleep(1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    virtual.run(main())
    assert done == [True]


def test_finish_gives_up_on_a_hung_cleanup() -> None:
    """A clean-up that hangs ends with TimeoutError after its time."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await finish(_forever(), within=3)
        assert asyncio.get_running_loop().time() == pytest.approx(1003, abs=0.01)

    virtual.run(main())


def test_finish_keeps_the_cancellation_when_the_cleanup_fails() -> None:
    """A failing clean-up is the cancellation's cause, not its replacement."""

    async def failing() -> None:
        await asyncio.sleep(2)
        raise OSError("disk")

    async def main() -> None:
        task = asyncio.create_task(finish(failing(), within=10))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert isinstance(caught.value.__cause__, OSError)

    virtual.run(main())


async def test_finish_raises_the_cleanups_error() -> None:
    """Without a cancellation the clean-up's own error is raised."""
    with pytest.raises(ValueError, match="job"):
        await finish(_crash(), within=1)
