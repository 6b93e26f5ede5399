"""What Prometheus makes of scraped samples: its rate(), by its own rules of extrapolation."""

from bisect import bisect_right
from collections import defaultdict

Sample = tuple[float, float]


class Scrapes:
    """Samples by series, as Prometheus stores them."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = defaultdict(list)
        self._values: dict[str, list[float]] = defaultdict(list)

    def take(self, text: bytes, at: float, *, name: str) -> None:
        """Store the samples of metric *name* out of one exposition."""
        start = name.encode() + b"{"
        for line in text.splitlines():
            if line.startswith(start):
                labels, value = line.rsplit(b" ", 1)
                self._times[labels.decode()].append(at)
                self._values[labels.decode()].append(float(value))

    def series(self, matching: str = "") -> list[str]:
        """List the series whose labels contain *matching*."""
        return [labels for labels in self._times if matching in labels]

    def falls(self) -> list[tuple[float, float]]:
        """List where a series is lower than before: when it was scraped before, and after."""
        return [
            (times[i - 1], times[i])
            for labels, times in self._times.items()
            for i in range(1, len(times))
            if self._values[labels][i] < self._values[labels][i - 1]
        ]

    def rate(self, labels: str, at: float, window: float) -> float:
        """Evaluate ``rate(labels[window])`` at a time; 0 where Prometheus has no result."""
        times, values = self._times[labels], self._values[labels]
        first, last = bisect_right(times, at - window), bisect_right(times, at)
        samples = list(zip(times[first:last], values[first:last], strict=True))
        return extrapolated_rate(samples, at, window)

    def sum_rate(self, at: float, window: float, matching: str = "") -> float:
        """Evaluate ``sum(rate({…}[window]))``."""
        return sum(self.rate(labels, at, window) for labels in self.series(matching))


def extrapolated_rate(samples: list[Sample], at: float, window: float) -> float:
    """Do what Prometheus' ``extrapolatedRate`` does for a counter."""
    if len(samples) < 2:
        return 0.0
    (first_time, first_value), (last_time, _) = samples[0], samples[-1]
    increase = samples[-1][1] - first_value
    previous = first_value
    for _, value in samples[1:]:
        if value < previous:  # a reset
            increase += previous
        previous = value
    to_start, to_end = first_time - (at - window), at - last_time
    sampled = last_time - first_time
    between = sampled / (len(samples) - 1)
    if to_start >= between * 1.1:
        to_start = between / 2
    if increase > 0 and first_value >= 0:  # a counter cannot have been below zero
        to_start = min(to_start, sampled * first_value / increase)
    if to_end >= between * 1.1:
        to_end = between / 2
    return increase * (sampled + to_start + to_end) / sampled / window
