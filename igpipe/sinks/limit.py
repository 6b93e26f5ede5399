"""How large a request may be and how many at once: less after failures, slowly more. Pure."""

from typing import Final

FLOOR: Final = 2**16
"""No request is cut smaller than this (a single record may still be larger)."""


class SizeLimit:
    """A size that halves down to FLOOR and grows by an eighth of *maximum* up to it."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self.value = maximum

    def shrink(self) -> None:
        """Halve: the sink, or something before it, did not take the size."""
        self.value = max(self.value // 2, min(FLOOR, self._maximum))

    def grow(self) -> None:
        """Grow: the sink took a request."""
        self.value = min(self.value + self._maximum // 8, self._maximum)


class InFlight:
    """How many requests may be under way: one more after each full round, half after a failure."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self.value = 1

    def worked(self, requests: int) -> None:
        """Note a round of *requests* in which none failed; it tells something if it was full."""
        if requests >= self.value:
            self.value = min(self.value + 1, self._maximum)

    def failed(self) -> None:
        """Note that the sink was out of reach or overloaded."""
        self.value = max(self.value // 2, 1)
