"""
What an event costs igpipe, the API server and a node: ``python -m benchmarks.cluster``.

A real cluster of two nodes runs on this machine (tests/cluster). On one node a stand-in for ig
plays varied events at a rate; ``igpipe run``, in a process of its own, parses and counts them. Told
is the CPU time that each part uses an event, as the kernel counts it, less what it uses with no
session; ``--transport`` picks the ways from the node to igpipe. Where ig is held up, events wait in
a buffer as large as the kernel's is by default; what finds no room is lost, and told as ig does.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.events import Generator
from igpipe.config import Config
from tests.cluster.control import free_ports
from tests.cluster.images import TAP, player_image, write_image
from tests.cluster.install import install, obstacle
from tests.cluster.process import Igpipe
from tests.cluster.rig import Rig, cluster, until
from tests.cluster.worlds import RealWorld, config
from tests.servers.http import get_json

RATES: Final = (1_000, 4_000, 16_000)
SECONDS: Final = 20.0
PARTS: Final = ("igpipe", "kube-apiserver", "kubelet", "containerd", "Pods")
LOSSES: Final = ("lost in the kernel/s", "dropped/s", "missed/s")
_NODE: Final = "node-a"
VARIED: Final = "localhost/ig:varied"
_GADGET: Final = "trace_open"
_EVENTS: Final = 10_000
KERNEL_BUFFER: Final = 1024
"""Events that wait in the kernel: 64 pages for each of two processors, half a kilobyte each."""
_WARM_UP: Final = 4.0
_COUNTS: Final = ("events", "bytes", "frame_bytes", "lost_samples", "dropped", "missed")

Used = Mapping[str, float]
"""CPU seconds by part."""


@dataclass(frozen=True, slots=True)
class Transport:
    """A way from the node to igpipe: sections of a configuration that make sessions take it."""

    name: str
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


TRANSPORTS: Final = {
    "log": Transport("log, as lines"),
    "tap": Transport("log, as frames", {"session": {"tap_image": TAP, "transport": "tap"}}),
}


@dataclass(frozen=True, slots=True)
class Row:
    """
    One run: events a second as asked for, and as read; bytes an event; CPU µs an event by part.

    ``lost`` samples of the kernel, lines ``dropped`` and ``missed`` are counts a second.
    """

    transport: str
    asked: int
    rate: float
    size: float
    cost: Used
    lost: float
    dropped: float
    missed: float


@dataclass(frozen=True, slots=True)
class Table:
    """All runs, and what the parts use with no session, in CPU seconds a second."""

    rest: Used
    rows: list[Row]


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the table; 3 where the machine cannot."""
    parser = argparse.ArgumentParser(prog="benchmarks.cluster", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of a run")
    parser.add_argument("--rate", type=int, action="append", help=f"events a second: {RATES}")
    parser.add_argument("--transport", action="append", choices=TRANSPORTS)
    given = parser.parse_args(arguments)
    if why := obstacle():
        print(f"No real cluster on this machine: {why}.")
        return 3
    print(table(measure(given.seconds, given.rate or RATES, given.transport or TRANSPORTS)))
    return 0


def measure(
    seconds: float = SECONDS,
    rates: "tuple[int, ...] | list[int]" = RATES,
    transports: "Mapping[str, Transport] | list[str]" = TRANSPORTS,
) -> Table:
    """Run each rate over each transport, on a cluster of its own."""
    install()
    with cluster() as rig, tempfile.TemporaryDirectory() as folder:
        load_varied(rig, Path(folder))
        run = Runs(rig, Path(folder), seconds)
        rest = run.rest()
        rows = [run.row(TRANSPORTS[name], rate, rest) for name in transports for rate in rates]
        return Table(rest, rows)


def table(measured: Table) -> str:
    """Write it as Markdown."""
    heads = ["way", "events/s", "read/s", "bytes an event", *PARTS, "all", *LOSSES]
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    lines += [f"| {' | '.join(cells(row))} |" for row in measured.rows]
    rest = [f"{measured.rest[part]:.1%}" for part in PARTS]
    lines.append(f"| no session, of one core | | | | {' | '.join(rest)} | | | | |")
    return "\n".join(lines)


def cells(row: Row) -> list[str]:
    """Write what one run has told."""
    cost = [row.cost[part] for part in PARTS]
    losses = (f"{each:.0f}" for each in (row.lost, row.dropped, row.missed))
    return [
        row.transport, f"{row.asked}", f"{row.rate:.0f}", f"{row.size:.0f}",
        *(f"{each:.1f}" for each in (*cost, sum(cost))), *losses,
    ]  # fmt: skip


class Runs:
    """Runs on one cluster, one after the other; *folder* is for their files."""

    def __init__(self, rig: Rig, folder: Path, seconds: float) -> None:
        self._rig = rig
        self._folder = folder
        self._seconds = seconds

    def rest(self) -> Used:
        """Measure an igpipe that has nothing to do."""
        paused = self._config(TRANSPORTS["log"], 1, {"paused": True})
        with self._running(paused) as igpipe:
            before = igpipe.look()
            time.sleep(self._seconds)
            after = igpipe.look()
        seconds = after.at - before.at
        return {part: (after.used[part] - before.used[part]) / seconds for part in PARTS}

    def row(self, transport: Transport, rate: int, rest: Used) -> Row:
        """Measure one session in its steady state."""
        with self._running(self._config(transport, rate)) as igpipe:
            until(lambda: igpipe.look().events, "events")
            time.sleep(_WARM_UP)
            before = igpipe.look()
            time.sleep(self._seconds)
            after = igpipe.look()
        events, seconds = after.events - before.events, after.at - before.at
        cost = {
            part: (after.used[part] - before.used[part] - rest[part] * seconds) / events * 1e6
            for part in PARTS
        }
        size = (after.size - before.size) / events
        lost, dropped, missed = (
            (now - then) / seconds for now, then in zip(after.gone, before.gone, strict=True)
        )
        return Row(transport.name, rate, events / seconds, size, cost, lost, dropped, missed)

    def _config(self, transport: Transport, rate: int, rotation: Any = None) -> Config:
        """Build one long session on one node."""
        sections: dict[str, Any] = {
            # A machine that is busy otherwise must not starve the Pod.
            "session": {"duration": 60 + self._seconds, "image": VARIED, "cpu_request": "1"},
            "rotation": {"period": 3600, "max_slots": 1, **(rotation or {})},
            "nodes": {"selector": f"kubernetes.io/hostname={_NODE}"},
            "web": {"port": free_ports(1)[0]},
        }
        for name, section in transport.sections.items():
            sections[name] = {**sections.get(name, {}), **section}
        params = {"rate": str(rate), "kernel-buffer": str(KERNEL_BUFFER)}
        gadgets = [{"name": _GADGET, "params": params}]
        return config(RealWorld(self._rig), **sections, gadgets=gadgets)

    @contextmanager
    def _running(self, made: Config) -> Iterator["_Observed"]:
        """Run igpipe during the block, and let it take its session back."""
        url = f"http://127.0.0.1:{made.web.port}"
        with Igpipe(made, self._folder / "igpipe.log") as process:
            observed = _Observed(self._rig, process, url)
            until(observed.look, "igpipe")
            yield observed
            assert process.stop() == 0, process.log.read_text()


@dataclass(frozen=True, slots=True)
class _Look:
    """What was read and used until a moment of the steady clock."""

    at: float
    events: int
    size: int
    gone: tuple[int, int, int]
    used: Used


@dataclass(frozen=True, slots=True)
class _Observed:
    """A running igpipe and its cluster."""

    rig: Rig
    process: Igpipe
    url: str

    def look(self) -> _Look:
        """Look now; RuntimeError while igpipe does not answer."""
        try:
            gadgets = get_json(f"{self.url}/api/v1/status")["gadgets"]
        except (OSError, json.JSONDecodeError) as error:
            raise RuntimeError(error) from None
        read = gadgets.get(_GADGET) or dict.fromkeys(_COUNTS, 0)
        at = time.monotonic()
        used = {"igpipe": self.process.processor_seconds(), **self.rig.processor_seconds(_NODE)}
        gone = read["lost_samples"], read["dropped"], read["missed"]
        return _Look(at, read["events"], read["frame_bytes"] or read["bytes"], gone, used)


def load_varied(rig: Rig, folder: Path) -> None:
    """Give the nodes a player of varied events."""
    lines = Generator(seed=7).lines(_EVENTS, _GADGET)
    events, archive = folder / "events.jsonl", folder / "player.tar"
    events.write_bytes(b"".join(line for _, line in lines))
    write_image(player_image(VARIED, {f"image/{_GADGET}.jsonl": events}), archive)
    rig.load(archive)


if __name__ == "__main__":
    raise SystemExit(main())
