"""The reference encoder of igpipe-tap's frames: what the program on the node does. Pure."""

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

from igpipe.frame import Codec, Header, Kind, write_frame

_LOST: Final = re.compile(rb"lost ([0-9]{1,9}) samples")
_READY: Final = re.compile(rb"^time=.* msg=running\.\.\.$", re.MULTILINE)
_WORTH_PACKING: Final = 256


@dataclass(frozen=True, slots=True)
class Moment:
    """A time by the node's clock, and since the tap's start; nanoseconds."""

    clock: int
    elapsed: int


class TapEncoder:
    """Writes one tap's frames, each a line of log, in order."""

    def __init__(self) -> None:
        self._seq = 0
        self._output = self._stderr = self._bytes = self._lost = 0
        self._dropped = self._dropped_bytes = self._filtered = 0
        self._ready: int | None = None

    def hello(self, about: dict[str, Any], at: Moment) -> bytes:
        """Say who watches."""
        return self._frame(Kind.HELLO, orjson.dumps(about), at)

    def output(self, lines: bytes, at: Moment) -> bytes:
        """Hand on whole lines of ig's output."""
        count = lines.count(b"\n")
        self._output += count
        return self._frame(Kind.DATA, lines, at, count)

    def stderr(self, lines: bytes, at: Moment) -> list[bytes]:
        """Hand on whole lines of ig's own log; if it says that it observes, say so."""
        count = lines.count(b"\n")
        self._stderr += count
        ready = self._ready is None and _READY.search(lines) is not None
        if ready:
            self._ready = at.elapsed
        frame = self._frame(Kind.STDERR, lines, at, count)
        return [frame, self._frame(Kind.READY, b"", at)] if ready else [frame]

    def heartbeat(self, at: Moment) -> bytes:
        """Say that ig lives."""
        return self._frame(Kind.HEARTBEAT, b"", at)

    def end(self, how: dict[str, Any], at: Moment) -> bytes:
        """Say how ig ended; nothing may follow."""
        return self._frame(Kind.END, orjson.dumps(how), at)

    def drop(self, lines: int, size: int) -> None:
        """Count lines that found no room."""
        self._dropped += lines
        self._dropped_bytes += size

    def filter(self, lines: int) -> None:
        """Count lines that were not wanted."""
        self._filtered += lines

    def _frame(self, kind: Kind, data: bytes, at: Moment, lines: int = 0) -> bytes:
        lost = sum(int(found) for found in _LOST.findall(data)) if lines else 0
        self._lost += lost
        self._bytes += len(data) if lines else 0
        packs = len(data) >= _WORTH_PACKING
        header = Header(
            kind=kind,
            codec=Codec.ZSTD if packs else Codec.NONE,
            lines=lines,
            raw=len(data),
            lost=lost,
            seq=self._seq,
            clock=at.clock,
            elapsed=at.elapsed,
            observed=0 if self._ready is None else at.elapsed - self._ready,
            output_lines=self._output,
            stderr_lines=self._stderr,
            bytes=self._bytes,
            dropped_lines=self._dropped,
            dropped_bytes=self._dropped_bytes,
            filtered_lines=self._filtered,
            lost_samples=self._lost,
        )
        self._seq += 1
        return write_frame(header, data)
