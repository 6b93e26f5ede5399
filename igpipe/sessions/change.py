"""Wait for the next change of something that is looked at whole: level, not edge."""

import asyncio


class Change:
    """
    Wakes everybody who waits for the next change.

    Look first, then wait without another ``await`` in between: no change is missed.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Wake all who wait now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float | None = None) -> None:
        """Return after the next change, or after *seconds*."""
        event = self._event
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
