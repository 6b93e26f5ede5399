"""
Decode a million broken lines: ``python -m benchmarks.mutate [LINES] [SEED]``.

Recorded lines are cut, bit-flipped, glued, filled with invalid UTF-8, huge numbers and deep
nesting. Fails unless nothing crashes, memory stays bounded and every line is accounted for.
"""

import random
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from igpipe.decode import LineDecoder, event_time, getter, label_text, open_input, read_blocks
from igpipe.decode.names import CANONICAL
from igpipe.model import Event, LineAccount

DATA: Final = Path(__file__).parents[1] / "tests" / "data" / "ig"
BLOCK_LINES: Final = 200
LINE_LIMIT, ARRAY_LIMIT = 1 << 16, 1 << 20
MEMORY_LIMIT: Final = 256 << 20
"""Growth that is allowed: the largest array's values, and what malloc keeps of them."""

Mutation = Callable[[random.Random, bytes, bytes], bytes]


def main(count: int = 1_000_000, seed: int = 1) -> int:
    """Run and print what became of the lines."""
    lines = corpus()
    before, start = _memory(), time.perf_counter()
    account = run(mutated(random.Random(seed), lines), count)
    seconds, growth = time.perf_counter() - start, _memory() - before
    print(f"{account.lines} lines, {account.bytes >> 20} MiB in {seconds:.1f} s, seed {seed}")
    print(f"event lines {account.event_lines}, events {account.events}, stderr {account.stderr}")
    print(f"rejected {dict(sorted(account.rejected.items()))}, rows {account.rejected_rows}")
    print(f"memory grew by {growth >> 20} MiB")
    good = account.balanced() and account.lines == count and growth < MEMORY_LIMIT
    print("ok" if good else "FAILED")
    return 0 if good else 1


def run(lines: Iterator[bytes], count: int) -> LineAccount:
    """Feed *count* of *lines* to one decoder whose consumer reads every canonical name."""
    account = LineAccount()
    decoder = LineDecoder(
        "trace_open", consumer(), account, line_limit=LINE_LIMIT, array_limit=ARRAY_LIMIT
    )
    lines = islice(lines, count)
    while block := b"\n".join(islice(lines, BLOCK_LINES)):
        decoder.feed(block + b"\n")
        if not account.balanced():
            raise AssertionError(f"not balanced: {account}")
    return account


def consumer() -> Callable[[Event, bytes | None], None]:
    """Make a consumer that is as strict as metrics: every name must be a scalar."""
    getters = [getter(name) for name in CANONICAL]

    def read(event: Event, line: bytes | None) -> None:
        event_time(event)
        for get in getters:
            label_text(get(event))

    return read


def corpus() -> list[bytes]:
    """Read one recorded line of each length a file, and a few of ig's log; without newlines."""
    lines: dict[tuple[str, int], bytes] = {}
    for path in sorted(DATA.rglob("*.*")):
        if path.is_dir() or path.parent.name == "lossy" or path.name == "list_containers.json":
            continue
        with open_input(str(path)) as stream:
            for block in read_blocks(stream, path.name, line_limit=ARRAY_LIMIT):
                for line in block.splitlines():
                    is_json = line.startswith((b"{", b"["))
                    key = (path.name, len(line)) if is_json else ("log", len(line) // 10)
                    lines.setdefault(key, line)
    return list(lines.values())


def mutated(rng: random.Random, lines: list[bytes]) -> Iterator[bytes]:
    """Yield broken lines for ever; the same ones for the same *rng*. Long lines are rare."""
    short = [line for line in lines if len(line) < 4096]
    long = [line for line in lines if len(line) >= 4096]
    while True:
        line = rng.choice(long if rng.random() < 0.001 else short)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            line = rng.choice(MUTATIONS)(rng, line, rng.choice(short))
        yield line.replace(b"\n", b"\v")


def _cut(rng: random.Random, line: bytes, other: bytes) -> bytes:
    start, end = sorted(rng.randrange(len(line) + 1) for _ in range(2))
    return rng.choice((line[:end], line[start:], line[start:end], line[:start] + line[end:]))


def _flip(rng: random.Random, line: bytes, other: bytes) -> bytes:
    broken = bytearray(line)
    for _ in range(rng.randint(1, 4) if broken else 0):
        broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    return bytes(broken)


def _glue(rng: random.Random, line: bytes, other: bytes) -> bytes:
    at = rng.choice((len(line), rng.randrange(len(line) + 1)))
    return line[:at] + other + rng.choice((b"", line[at:]))


def _noise(rng: random.Random, line: bytes, other: bytes) -> bytes:
    at = rng.randrange(len(line) + 1)
    return line[:at] + rng.randbytes(rng.randint(1, 8)) + line[at:]


def _number(rng: random.Random, line: bytes, other: bytes) -> bytes:
    return _replace(rng, line, _NUMBER, rng.choice(_NUMBERS))


def _shape(rng: random.Random, line: bytes, other: bytes) -> bytes:
    return _replace(rng, line, _OBJECT, rng.choice((b"null", b"5", b'"x"', b"[]", b"{}", b"true")))


def _nest(rng: random.Random, line: bytes, other: bytes) -> bytes:
    depth = rng.choice((3, 200, 1020, 1030, 5000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    deep = opening * depth + b"1" + closing * (depth if rng.random() < 0.7 else 0)
    return rng.choice((deep, _replace(rng, line, _NUMBER, deep)))


def _stretch(rng: random.Random, line: bytes, other: bytes) -> bytes:
    size = 1 << 17 if rng.random() < 0.02 else 1 << 10
    return _replace(rng, line, _OBJECT, b'"' + b"x" * size + b'"')


def _replace(rng: random.Random, line: bytes, pattern: re.Pattern[bytes], text: bytes) -> bytes:
    found = list(pattern.finditer(line, 0, 4096))
    if not found:
        return line
    start, end = rng.choice(found).span()
    return line[:start] + text + line[end:]


_NUMBER: Final = re.compile(rb"(?<=[:,\[])-?\d+(?=[,}\]])")
_OBJECT: Final = re.compile(rb'(?<=":)(?:\{[^{}]*\}|"[^"\\]*"|\d+)')
_NUMBERS: Final = (
    b"18446744073709551615",
    b"18446744073709551616",
    b"-9223372036854775809",
    b"9" * 50,
    b"9" * 400,
    b"1e999",
    b"-1e999",
    b"1e-999",
    b"1.5e308",
    b"00",
    b"-0",
    b"NaN",
    b"Infinity",
)
MUTATIONS: Final[tuple[Mutation, ...]] = (
    _cut,
    _flip,
    _glue,
    _noise,
    _number,
    _shape,
    _nest,
    _stretch,
)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
