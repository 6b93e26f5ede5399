"""Virtual time: an event loop that jumps to its next timer instead of waiting."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(AssertionError):
    """Nothing is ready, no timer is set: the code under test waits for ever."""


class _Selector(selectors.SelectSelector):
    """Hands the time that the loop would sleep to the loop's clock."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise Stuck("nothing to do and no timer: a deadlock")
        if not ready and timeout:
            self._clock[0] += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when nothing else is left to do."""

    def __init__(self, start: float = 1_000.0) -> None:
        self._now = [start]
        super().__init__(_Selector(self._now))

    def time(self) -> float:
        return self._now[0]


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* in virtual time and fail if it leaves a task behind."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:

        async def checked() -> T:
            result = await main
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks left behind: {left}"
            return result

        return runner.run(checked())
