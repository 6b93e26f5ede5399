"""Which stream must end because it, or all together, load the API server too much. Pure."""

from collections.abc import Hashable
from typing import Final

_WINDOW: Final = 1.0  # seconds over which a rate is taken


class Budget:
    """
    Bytes per second of every stream and in all, each with the same *patience* in seconds.

    A stream beyond *stream_limit* for that long is to be ended. If all together are beyond
    *total_limit* for that long, the loudest is, and the others get as long again. 0: no bound.
    Times are of any monotonic clock.
    """

    def __init__(self, stream_limit: int, total_limit: int, patience: float) -> None:
        self._stream_limit = stream_limit
        self._total = _Meter(total_limit)
        self._patience = patience
        self._streams: dict[Hashable, _Meter] = {}
        self._doomed: tuple[Hashable, float] | None = None  # who, and until when that is right

    def add(self, key: Hashable, size: int, now: float) -> bool:
        """Count *size* bytes of stream *key* and tell whether it must end now."""
        meter = self._streams.get(key)
        if meter is None:
            meter = self._streams[key] = _Meter(self._stream_limit)
        meter.add(size, now)
        self._total.add(size, now)
        if self._total.overrun(now) >= self._patience:
            self._total.forgive()
            loudest = max(self._streams, key=lambda k: self._streams[k].rate(now))
            self._doomed = loudest, now + _WINDOW
        return self._is_doomed(key, now) or meter.overrun(now) >= self._patience

    def close(self, key: Hashable) -> None:
        """Forget a stream that has ended."""
        self._streams.pop(key, None)
        if self._doomed is not None and self._doomed[0] == key:
            self._doomed = None

    def _is_doomed(self, key: Hashable, now: float) -> bool:
        # One that fell silent by itself is not the loudest any more when it comes back.
        return self._doomed is not None and self._doomed[0] == key and now <= self._doomed[1]


class _Meter:
    """Bytes in windows that close with the first bytes after them; knows since when too many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._start: float | None = None
        self._bytes = 0
        self._before = (0.0, 0)  # start and bytes of the window before
        self._over_since: float | None = None

    def add(self, size: int, now: float) -> None:
        if self._start is None:
            self._start, self._before = now, (now, 0)
        elapsed = now - self._start
        if elapsed >= _WINDOW:
            over = self._limit and self._bytes > self._limit * elapsed
            since = self._start if self._over_since is None else self._over_since
            self._over_since = since if over else None
            self._before = self._start, self._bytes
            self._start, self._bytes = now, 0
        self._bytes += size

    def overrun(self, now: float) -> float:
        """Seconds since when every window held too much."""
        return 0.0 if self._over_since is None else now - self._over_since

    def forgive(self) -> None:
        """Start anew."""
        self._over_since = None

    def rate(self, now: float) -> float:
        """Bytes per second over the last two windows."""
        start, size = self._before
        return (size + self._bytes) / max(now - start, _WINDOW)
