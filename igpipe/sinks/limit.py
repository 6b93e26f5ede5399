"""How large a request may be: less after refusals, a little more after each success. Pure."""

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
