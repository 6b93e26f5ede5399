"""A container's ig behind the tap: its lines as frames, with heartbeats in silence. Pure."""

import math
from collections.abc import Callable
from itertools import groupby
from typing import Any, Final

from igpipe.sim.tap import Moment, TapEncoder

_SILENCE: Final = 1.0
_NANO: Final = 1e9


def is_tap(argv: list[str]) -> bool:
    """Tell whether a command line is the tap's, with ig's behind it."""
    return bool(argv) and argv[0].rpartition("/")[2] == "igpipe-tap" and "--" in argv


def behind(argv: list[str]) -> list[str]:
    """Return ig's own command line."""
    return argv[argv.index("--") + 1 :] if is_tap(argv) else argv


class Tapped:
    """
    Turns what a player prints into what the tap logs.

    Times are seconds since the cluster's start, of which *epoch_ns* gives the unix time.
    """

    def __init__(self, command: list[str], at: float, epoch_ns: Callable[[], int]) -> None:
        self._encoder = TapEncoder()
        self._start, self._epoch_ns, self._last = at, epoch_ns, at
        self._hello: list[bytes] = [
            self._encoder.hello({"version": "sim", "command": command}, self._moment(at))
        ]

    def log(self, lines: list[bytes], now: float) -> list[bytes]:
        """Write *lines* as frames, or a heartbeat where there are none for too long."""
        at, frames = self._moment(now), self._hello
        self._hello = []
        for is_output, group in groupby(lines, _is_output):
            text = b"".join(group)
            frames += (
                [self._encoder.output(text, at)] if is_output else self._encoder.stderr(text, at)
            )
        if not frames and now >= self._last + _SILENCE:
            frames.append(self._encoder.heartbeat(at))
        if frames:
            self._last = now
        return frames

    def end(self, exit_code: int, now: float) -> bytes:
        """Write the last frame; the costs are made up."""
        ran = now - self._start
        how: dict[str, Any] = {
            "reason": "exited",
            "exit_code": exit_code,
            "signal": 0,
            "message": "",
            "ig": {"cpu_seconds": 0.02 * ran, "memory_bytes": 100 << 20},
            "tap": {"cpu_seconds": 0.001 * ran, "memory_bytes": 8 << 20},
        }
        return self._encoder.end(how, self._moment(now))

    def due(self, player_due: float) -> float:
        """Tell when there is more to log: the player's lines, or a heartbeat."""
        return player_due if math.isinf(player_due) else min(player_due, self._last + _SILENCE)

    def _moment(self, now: float) -> Moment:
        elapsed = round((now - self._start) * _NANO)
        return Moment(self._epoch_ns() + round(now * _NANO), max(0, elapsed))


def _is_output(line: bytes) -> bool:
    return line[:1] in (b"{", b"[") or line == b"null\n"
