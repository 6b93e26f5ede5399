"""
Reading the tap's frames: ``python -m benchmarks.frames``.

From the log's bytes to whole lines, without parsing them, against ``orjson.loads`` of the same
lines, by CPU time in turns; and how many bytes frames take of the lines in them.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.bare import parse
from benchmarks.events import Generator
from igpipe.model import Block
from igpipe.sim.tap import Moment, TapEncoder
from igpipe.stream.tap import FrameReading

EVENTS: Final = 16_000
ROUNDS: Final = 9
TARGET: Final = 1 / 3
WINDOW: Final = 0.05
SIZES: Final = {"256 KiB, full": 256 * 1024, "a window at 1,000/s": 0}
CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One size of frames: bytes of a frame's lines, and the ratios."""

    what: str
    raw: float
    packed: float
    reading: float


def measure() -> list[Row]:
    """Measure each size of frames."""
    lines = [line for _, line in Generator().lines(EVENTS)]
    return [_measure(what, lines, size) for what, size in SIZES.items()]


def table(rows: list[Row]) -> str:
    """Write *rows* for docs/performance.md."""
    heads = "frames", "KiB of lines each", "bytes, of plain lines", "reading, of orjson.loads"
    lines = [f"| {' | '.join(heads)} | target | |", "|---|---:|---:|---:|---:|---|"]
    for row in rows:
        met = "met" if row.reading <= TARGET else "missed"
        lines.append(
            f"| {row.what} | {row.raw / 1024:.0f} | {row.packed:.3f} | {row.reading:.2f} "
            f"| ≤ 0.33 | {met} |"
        )
    return "\n".join(lines)


def _measure(what: str, lines: list[bytes], size: int) -> Row:
    log, count = _frames(lines, size)
    plain = b"".join(lines)
    chunks = [log[at : at + CHUNK] for at in range(0, len(log), CHUNK)]
    ways: dict[str, Callable[[], None]] = {
        "parse": lambda: parse(plain),
        "read": lambda: _read(chunks, len(plain)),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            begun = time.process_time()
            way()
            spent[name].append(time.process_time() - begun)
    ratio = statistics.median(
        read / parse for read, parse in zip(spent["read"], spent["parse"], strict=True)
    )
    return Row(what, len(plain) / count, len(log) / len(plain), ratio)


def _frames(lines: list[bytes], size: int) -> tuple[bytes, int]:
    encoder = TapEncoder()
    frames = [
        encoder.output(b"".join(held), Moment(number, number))
        for number, held in enumerate(_windows(lines, size))
    ]
    return b"".join(frames), len(frames)


def _windows(lines: list[bytes], size: int) -> Iterator[list[bytes]]:
    """Give what each frame holds: *size* bytes, or as many events as a window has."""
    held: list[bytes] = []
    total = 0
    for line in lines:
        held.append(line)
        total += len(line)
        if total >= size if size else len(held) >= 1000 * WINDOW:
            yield held
            held, total = [], 0
    if held:
        yield held


def _read(chunks: list[bytes], size: int) -> None:
    reading, total = FrameReading(1 << 20), 0
    for chunk in chunks:
        for item in reading.feed(chunk, 0.0):
            if isinstance(item, Block):
                total += len(item.data)
    if total != size:
        raise AssertionError(f"{total} bytes of {size}")


if __name__ == "__main__":
    print(table(measure()))
