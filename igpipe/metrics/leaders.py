"""Which series of a counter are the largest. Pure."""

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from igpipe.metrics.family import Family

_SLICE: Final = 2000
"""So many series are looked at, then the event loop has a turn."""
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED: Final = re.compile(r"\\(.)")
_OBSERVED: Final = "_observed_total"


@dataclass(frozen=True, slots=True)
class Leaders:
    """The largest series of one metric: labels and value, largest first."""

    name: str
    help: str
    series: list[tuple[dict[str, str], float]]


def find_leaders(family: Family, limit: int) -> Iterator[Leaders | None]:
    """Find the *limit* largest series of an observed counter; None after each slice of the work."""
    if not family.shape.name.endswith(_OBSERVED):
        return
    top: list[tuple[float, bytes]] = []
    looked = 0
    for group in list(family.groups.values()):
        top = heapq.nlargest(limit, [*top, *((v, k) for k, v in group.values.items() if v)])
        looked += len(group.values)
        if looked >= _SLICE:
            looked = 0
            yield None
    if top:
        series = [(_labels(key), float(value)) for value, key in top]
        yield Leaders(family.shape.name, family.shape.help, series)


def _labels(key: bytes) -> dict[str, str]:
    """Read labels back as they were before they were written."""
    text = key.decode("utf-8", "replace")
    return {name: _ESCAPED.sub(_plain, value) for name, value in _LABEL.findall(text)}


def _plain(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]
