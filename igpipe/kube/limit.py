"""How fast igpipe may ask the API server. Pure: time comes in."""


class RateLimit:
    """
    A token bucket of *rate* calls a second that holds *burst* of them.

    Every call reserves its turn, so callers go in the order in which they asked.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1.0 / rate
        self._slack = (burst - 1) * self._interval
        self._next = float("-inf")  # when the next call would go if there were no burst

    def reserve(self, now: float) -> float:
        """Take a turn and return the seconds to wait for it."""
        turn = max(self._next, now - self._slack)
        self._next = turn + self._interval
        return max(0.0, turn - now)

    def pause(self, until: float) -> None:
        """
        Let no further turn be before *until*, as the server asked by Retry-After.

        No burst is owed afterwards: turns then come at the rate.
        """
        self._next = max(self._next, until)
