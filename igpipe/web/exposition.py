"""Write /metrics: event series and igpipe's own, in slices between which the loop runs."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from isal import isal_zlib
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest as text_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_latest

from igpipe.telemetry import Telemetry
from igpipe.web.views import Views

_GZIP_LEVEL = 1  # isal's levels 0-3: 1 is as small as zlib's fastest at several times its speed
_GZIP_WINDOW = 31
_EOF = b"# EOF\n"


async def expose(
    views: Views, telemetry: Telemetry, *, openmetrics: bool, gzip: bool
) -> list[bytes]:
    """
    Return one exposition in parts.

    It is made before it is sent: a slow reader does not hold the writer open, and an error is
    an error, not half an answer that parses.
    """
    # The event series may end with the mark that only the end of all may have.
    events = (part for part in views.metrics(openmetrics) if part != _EOF)
    slices = chain(events, _own(telemetry.registry, openmetrics))
    parts, spent = [], 0.0
    for part, seconds in _timed(_packed(slices) if gzip else slices):
        spent += seconds
        if part:
            parts.append(part)
        await asyncio.sleep(0)
    telemetry.series.scraped(spent)
    return parts


class _Samples:
    """A registry without ``_created`` samples, which would double igpipe's own lines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            metric.samples = [s for s in metric.samples if not s.name.endswith("_created")]
            yield metric


def _own(registry: CollectorRegistry, openmetrics: bool) -> Iterator[bytes]:
    """Write igpipe's own metrics, and the end that OpenMetrics wants (exactly one)."""
    latest: Callable[..., bytes] = openmetrics_latest if openmetrics else text_latest
    yield latest(_Samples(registry))


def _packed(slices: Iterable[bytes]) -> Iterator[bytes]:
    packer = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
    for part in slices:
        yield packer.compress(part)
    yield packer.flush()


def _timed(parts: Iterable[bytes]) -> Iterator[tuple[bytes, float]]:
    """Tell how long each part took to make, without what the loop did in between."""
    waiting = iter(parts)
    while True:
        begin = time.perf_counter()
        part = next(waiting, None)
        if part is None:
            return
        yield part, time.perf_counter() - begin
