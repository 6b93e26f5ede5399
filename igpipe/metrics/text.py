"""
Series as text: Prometheus 0.0.4 and OpenMetrics 1.0. Pure.

Written in slices, so that the event loop has a turn between them. Labels were rendered when the
series was born; what is left is one format operation a slice. Numbers have 15 digits, which a float
always holds: to write those that read back to the bit takes three times as long.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, chain, islice
from typing import Any, Final

from igpipe.metrics.family import Family, Shape

SLICE: Final = 500
"""About as many lines go into one slice: well below a millisecond."""

EOF: Final = b"# EOF\n"
"""What an OpenMetrics exposition ends with."""

Row = tuple[bytes, Any]
"""Rendered labels and what they hold."""

Write = Callable[[list[Row]], bytes]


def write_family(family: Family, *, openmetrics: bool) -> Iterator[bytes]:
    """Write one family; a family without series is not mentioned."""
    groups = [list(group.values.items()) for group in family.groups.values()]
    yield from write_rows(family.shape, chain.from_iterable(groups), openmetrics=openmetrics)


def write_rows(shape: Shape, rows: Iterable[Row], *, openmetrics: bool) -> Iterator[bytes]:
    """Write *rows* under their header."""
    head = _header(shape, openmetrics=openmetrics)
    text = _histogram(shape) if shape.type == "histogram" else _scalar(shape)
    rows = iter(rows)
    while part := list(islice(rows, max(1, SLICE // shape.cost))):
        yield head + text(part)
        head = b""


def _header(shape: Shape, *, openmetrics: bool) -> bytes:
    name, text = shape.name, shape.help.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        text = text.replace('"', r"\"")
        if shape.type == "counter":
            name = name.removesuffix("_total")
    return f"# HELP {name} {text}\n# TYPE {name} {shape.type}\n".encode()


def _scalar(shape: Shape) -> Write:
    number = b"%d" if shape.whole else b"%.15g"
    template = shape.name.encode() + b"{%b} " + number + b"\n"
    return lambda rows: template * len(rows) % tuple(chain.from_iterable(rows))


def _histogram(shape: Shape) -> Write:
    """Write numbers first, then labels: one call puts them into all lines of a series."""
    name = shape.name.encode()
    bounds = [bound.encode() for bound in (*shape.buckets, "+Inf")]
    buckets = [name + b"_bucket{" + _LABELS + b',le="' + b + b'"} %d\n' for b in bounds]
    # Where the gadget tells no sum there is no count either: OpenMetrics wants both or none.
    totals = [name + b"_count{" + _LABELS + b"} %d\n", name + b"_sum{" + _LABELS + b"} %.15g\n"]
    template = b"".join([*buckets, *totals] if shape.has_sum else buckets)

    def series(row: Row) -> bytes:
        labels, values = row
        if shape.has_sum:
            counts = (*accumulate(values[1:]),)
            text = template % (*counts, counts[-1], values[0])
        else:
            text = template % (*accumulate(values),)
        return text.replace(_LABELS, labels)

    return lambda rows: b"".join(map(series, rows))


_LABELS: Final = b"\0"
"""Where labels go; no label has it, since what is not printable was escaped."""
