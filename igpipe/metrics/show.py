"""Coverage as rows for the text writer. Pure."""

import math
from collections.abc import Iterator
from typing import Final

from igpipe.metrics.coverage import Coverage
from igpipe.metrics.family import Shape
from igpipe.metrics.labels import escape
from igpipe.metrics.text import Row

_PAIR: Final = ("node", "gadget")
_OBSERVED: Final = Shape(
    "igpipe_observed_seconds_total",
    "Time in which a gadget provably observed a node.",
    "counter",
    _PAIR,
)
_REPRESENTED: Final = Shape(
    "igpipe_represented_seconds_total",
    "Time that looks stand for; what is missing to igpipe_node_seconds_total nobody saw.",
    "counter",
    _PAIR,
)
_LOOKS: Final = Shape("igpipe_looks_total", "Looks that observed something.", "counter", _PAIR)
_LAST: Final = Shape(
    "igpipe_last_look_timestamp_seconds", "When the last look ended.", "gauge", _PAIR
)
_AGE: Final = Shape(
    "igpipe_snapshot_age_seconds", "How old the snapshot behind gauges is.", "gauge", _PAIR
)
_NODES: Final = Shape(
    "igpipe_node_seconds_total", "Time for which a node has been in scope.", "counter", ("node",)
)
_PERIOD: Final = Shape(
    "igpipe_period_seconds", "How often every node is to be looked at.", "gauge", ("gadget",)
)

SHAPES: Final = (_OBSERVED, _REPRESENTED, _LOOKS, _LAST, _AGE, _NODES, _PERIOD)
"""All metrics of coverage."""


def coverage_rows(coverage: Coverage, now: float, limit: int) -> Iterator[tuple[Shape, list[Row]]]:
    """Give each metric of coverage with its rows; times are unix seconds."""

    def labels(**texts: str) -> bytes:
        return ",".join(f'{k}="{escape(v, limit)}"' for k, v in texts.items()).encode()

    watches = [
        (labels(node=node, gadget=gadget), watch)
        for (node, gadget), watch in sorted(coverage.watches.items())
    ]
    yield _OBSERVED, [(key, watch.observed) for key, watch in watches]
    yield _REPRESENTED, [(key, watch.represented) for key, watch in watches if watch.rotated]
    yield _LOOKS, [(key, watch.looks) for key, watch in watches]
    yield _LAST, [(key, watch.ended) for key, watch in watches if watch.ended]
    yield _AGE, [(key, now - watch.snapshot) for key, watch in watches if watch.snapshot]
    if math.isinf(coverage.period):
        return  # recordings: no node is in scope for a time, none is looked at again
    yield _NODES, [(labels(node=n), max(0.0, now - t)) for n, t in coverage.known.items()]
    yield _PERIOD, [(labels(gadget=g), coverage.period) for g in sorted(coverage.gadgets)]
