"""
What a session needs beside observing: ``python -m benchmarks.sessions``.

igpipe's whole service on a real cluster of two nodes (tests/cluster), whose ig is a stand-in that
starts as quickly as ig does. Short sessions with more and more gadgets, then sessions of a minute.
"""

import argparse
import asyncio
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from igpipe.model import State
from igpipe.service import running
from igpipe.sessions import Session
from tests.cluster.install import install, obstacle
from tests.cluster.rig import Rig, cluster
from tests.cluster.scenes import service, sessions

GADGETS: Final = (
    "trace_open", "trace_exec", "trace_dns", "trace_tcp",
    "top_file", "top_tcp", "snapshot_process", "snapshot_socket",
)  # fmt: skip
RUNS: Final = ((1, 5.0), (4, 5.0), (8, 5.0), (4, 60.0))
"""Gadgets of a session, and how long it observes."""
SHARE: Final = 0.95
"""What a session of a minute should observe of its whole life."""
_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """Sessions of one kind: seconds from one point of their life to the next, of each."""

    gadgets: int
    seconds: float
    starts: list[float]
    """From the Pod's creation until all gadgets observe."""
    ends: list[float]
    """From the end of the observed time until all logs are read."""
    goes: list[float]
    """From there until the Pod is seen gone."""
    shares: list[float]
    """Of the time from the request to the end, what the least of its gadgets observed."""


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the table; 3 where the machine cannot."""
    argparse.ArgumentParser(prog="benchmarks.sessions", description=__doc__).parse_args(arguments)
    if why := obstacle():
        print(f"No real cluster on this machine: {why}.")
        return 3
    print(table(measure()))
    return 0


def measure() -> list[Row]:
    """Run sessions of each kind on a cluster of their own."""
    install()
    with cluster() as rig:
        return [asyncio.run(_measure(rig, gadgets, seconds)) for gadgets, seconds in RUNS]


def table(rows: list[Row]) -> str:
    """Write them as Markdown."""
    lines = [
        "| gadgets | observes | sessions | created → observing | its end → logs read "
        "| read → gone | observed share | target | |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        share = statistics.median(row.shares)
        cells = [f"{row.gadgets}", f"{row.seconds:.0f} s", f"{len(row.shares)}"]
        cells += [_spread(times) for times in (row.starts, row.ends, row.goes)]
        cells += [f"{share:.1%}"]
        judged = row.seconds == _MINUTE
        cells += [f"≥ {SHARE:.0%}", "met" if share >= SHARE else "missed"] if judged else ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


async def _measure(rig: Rig, gadgets: int, seconds: float) -> Row:
    made = service(
        rig,
        session={"duration": seconds, "start_allowance": 60},
        rotation={"period": seconds + 15},
        gadgets=[{"name": name} for name in GADGETS[:gadgets]],
    )
    count = 2 if seconds == _MINUTE else 4
    async with running(made) as (_, parts):
        await sessions(parts, count)
    ended = [session for session in parts.rotation.history if session.outcome == "completed"]

    def each(measured: Callable[[Session], float]) -> list[float]:
        return [measured(session) for session in ended]

    return Row(
        gadgets,
        seconds,
        starts=each(lambda s: _observing(s) - s.times[State.CREATED]),
        ends=each(lambda s: s.times[State.DRAINING] - _observing(s) - seconds),
        goes=each(lambda s: s.removal.gone_at - s.times[State.DRAINING]),
        shares=each(_share),
    )


def _observing(session: Session) -> float:
    return max(record.ready_at for record in session.gadgets.values())


def _share(session: Session) -> float:
    least = min(result.exposure for result in session.results.values())
    return least / (session.times[State.ENDED] - session.times[State.REQUESTED])


def _spread(times: Iterable[float]) -> str:
    """Write the median and the largest."""
    found = sorted(times)
    return f"{statistics.median(found):.1f} s, at most {found[-1]:.1f} s"


if __name__ == "__main__":
    raise SystemExit(main())
