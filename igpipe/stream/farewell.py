"""Whether a log that ended was read to its end: ig says when it closes. Pure."""

from typing import Final

_STARTING: Final = b"starting op "
_CLOSING: Final = b"closing op "
_OPENING: Final = 1 << 20  # bytes in which ig has told of its start, if it ever does
_TAIL: Final = 4096


class Farewell:
    """
    What ig says at its end, and whether it is there.

    With ``-v`` ig tells of its operators as they start and as they close. A log in which they
    started and do not close lacks its end, however properly it ended: a kubelet whose reader lags
    when the container ends never opens the newest file of a log that was rotated. An ig that says
    nothing of its start promises nothing.
    """

    def __init__(self) -> None:
        self._promised = False
        self._read = 0
        self._tail = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the log, those of a replay too."""
        if not self._promised and self._read < _OPENING:
            self._promised = _STARTING in self._tail + chunk
        self._read += len(chunk)
        self._tail = chunk[-_TAIL:] if len(chunk) >= _TAIL else (self._tail + chunk)[-_TAIL:]

    @property
    def missing(self) -> bool:
        """Tell whether ig should have closed by now and did not."""
        return self._promised and _CLOSING not in self._tail
