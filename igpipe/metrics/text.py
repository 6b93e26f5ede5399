"""
Series as text: Prometheus 0.0.4 and OpenMetrics 1.0. Pure.

Written in slices, so that the event loop has a turn between them. Labels were rendered when the
series was born; what is left is one format operation a line, or one a histogram.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, islice
from typing import Any, Final

from igpipe.metrics.store import Family, Shape

SLICE: Final = 1000
"""About as many lines go into one slice: well below a millisecond."""

EOF: Final = b"# EOF\n"
"""What an OpenMetrics exposition ends with."""

Row = tuple[bytes, Any]
"""Rendered labels and what they hold."""


def write_family(family: Family, *, openmetrics: bool) -> Iterator[bytes]:
    """Write one family; a family without series is not mentioned."""
    groups = list(family.groups.values())
    rows = (row for group in groups for row in list(group.values.items()))
    yield from write_rows(family.shape, rows, openmetrics=openmetrics)


def write_rows(shape: Shape, rows: Iterable[Row], *, openmetrics: bool) -> Iterator[bytes]:
    """Write *rows* under their header."""
    head = _header(shape, openmetrics=openmetrics)
    line = _histogram(shape) if shape.type == "histogram" else _scalar(shape)
    rows = iter(rows)
    while part := list(islice(rows, max(1, SLICE // shape.cost))):
        yield head + b"".join(map(line, part))
        head = b""


def _header(shape: Shape, *, openmetrics: bool) -> bytes:
    name, text = shape.name, shape.help.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        text = text.replace('"', r"\"")
        if shape.type == "counter":
            name = name.removesuffix("_total")
    return f"# HELP {name} {text}\n# TYPE {name} {shape.type}\n".encode()


def _scalar(shape: Shape) -> Callable[[Row], bytes]:
    return (shape.name.encode() + b"{%b} %a\n").__mod__


def _histogram(shape: Shape) -> Callable[[Row], bytes]:
    name = shape.name.encode()
    buckets = [
        name + b'_bucket{%b,le="' + b.encode() + b'"} %d\n' for b in (*shape.buckets, "+Inf")
    ]
    # Where the gadget tells no sum there is no count either: OpenMetrics wants both or none.
    totals = [name + b"_sum{%b} %a\n", name + b"_count{%b} %d\n"] if shape.has_sum else []
    template = b"".join([*buckets, *totals])
    first = len(totals) // 2

    def write(row: Row) -> bytes:
        labels, values = row
        counts = list(accumulate(islice(values, first, None)))
        numbers = [*counts, values[0], counts[-1]] if totals else counts
        return template % tuple(x for number in numbers for x in (labels, number))

    return write
