"""Virtual time: an event loop that jumps to its next timer instead of waiting."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(AssertionError):
    """Nothing is ready, no timer is set: the code under test waits for ever."""


_THREAD_SECONDS = 5.0


class _Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]  # as typeshed has it
    """Hands the time that the loop would sleep to the loop's clock."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__()
        self._clock = clock
        self.threads = 0

    def select(self, timeout: float | None = None) -> Any:
        # Virtual time stands still while a thread works.
        ready = super().select(_THREAD_SECONDS if self.threads and timeout != 0 else 0)
        if not ready and timeout is None and not (ready := super().select(_THREAD_SECONDS)):
            raise Stuck("nothing to do and no timer: a deadlock")
        if not ready and timeout:
            self._clock[0] += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when nothing else is left to do."""

    def __init__(self, start: float = 1_000.0) -> None:
        self._now = [start]
        self._virtual = _Selector(self._now)
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._now[0]

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        self._virtual.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: Any) -> None:
        self._virtual.threads -= 1


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* in virtual time and fail if it leaves a task behind."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:

        async def checked() -> T:
            result = await main
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks left behind: {left}"
            return result

        return runner.run(checked())
