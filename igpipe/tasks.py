"""Lifetimes as blocks: jobs that run while a block runs, and clean-up that cannot be cut short."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

Job = Callable[[], Coroutine[Any, Any, None]]
T = TypeVar("T")


class TaskEnded(Exception):
    """A job that should run for ever returned: a bug, so nothing catches it."""


@asynccontextmanager
async def background(**jobs: Job) -> AsyncIterator[None]:
    """
    Run *jobs* while the block runs, and cancel them when it ends.

    A job that raises or returns cancels the block; the error leaves as an ExceptionGroup, which
    only ``__main__`` handles.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_endless(name, job), name=name) for name, job in jobs.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def collect(jobs: dict[str, Callable[[], Coroutine[Any, Any, T]]]) -> dict[str, T]:
    """
    Run all *jobs* side by side to their end and return their results by name.

    A job raises nothing expected; cancelling the caller cancels all of them.
    """
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(job(), name=name) for name, job in jobs.items()}
    return {name: task.result() for name, task in tasks.items()}


async def finish(cleanup: Awaitable[None], *, within: float) -> None:
    """
    Await *cleanup* to its end even if the caller is cancelled meanwhile.

    A cancellation is thereby delayed by at most *within* seconds, not lost. Raises TimeoutError
    if *cleanup* needs longer.
    """
    task = asyncio.ensure_future(asyncio.wait_for(cleanup, within))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled from task.exception()  # a failing clean-up must not swallow it
    task.result()


async def _endless(name: str, job: Job) -> None:
    await job()
    raise TaskEnded(name)
