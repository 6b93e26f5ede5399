"""Writes a recording's lines with one node's names and times. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import orjson

from igpipe.sim.command import Command
from igpipe.sim.recordings import recording, templates
from igpipe.sim.truth import Stream
from igpipe.sim.workloads import Identity


class Stamp:
    """Writes times into lines; the text of a second is made once."""

    def __init__(self, epoch_ns: Callable[[], int]) -> None:
        self._epoch_ns = epoch_ns
        self._second = -1
        self._text = b""

    def ns(self, at: float) -> int:
        """Unix nanoseconds of *at*."""
        return self._epoch_ns() + int(at * 1e9)

    def unix(self, at: float) -> float:
        """Unix seconds of *at*."""
        return self.ns(at) / 1e9

    def iso(self, ns: int) -> bytes:
        """Write nanoseconds as ig does, nine digits in UTC."""
        second, rest = divmod(ns, 1_000_000_000)
        if second != self._second:
            self._second = second
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._text = text.encode()
        return b"%b.%09dZ" % (self._text, rest)

    def second(self, at: float) -> bytes:
        """Write *at* as ig's log lines do, in whole seconds."""
        return self.iso(self.ns(at))[:19] + b"Z"


class Printer:
    """Fills a recording's templates with one node's names and times."""

    def __init__(
        self, command: Command, stream: Stream, env: Mapping[str, str], stamp: Stamp
    ) -> None:
        self.stream = stream
        self.command = command
        self.stamp = stamp
        self._lines = templates(command.generation, command.gadget, command.shape)
        found = recording(command.generation, command.gadget)
        self.array = found is not None and found.array
        fields: dict[bytes, bytes | int] = {
            f"env.{key}".encode(): orjson.dumps(env.get(variable, ""))[1:-1]
            for key, variable in command.shape.fields
        }
        shown = {who for _, who in stream.script.lines if command.shows(who.namespace)}
        self._names = {who: {**_names(who), **fields} for who in shown}

    def row(self, k: int, at: float) -> bytes | None:
        """Write occurrence *k*, without its newline; None if it is hidden."""
        lines = self.stream.script.lines
        number, who = lines[k % len(lines)]
        names = self._names.get(who)
        if names is None:
            return None
        ns = self.stamp.ns(at)
        names[b"raw"] = ns
        names[b"iso"] = self.stamp.iso(ns)
        return self._lines[number] % names

    def rows(self, first: int, end: int, at: float) -> list[bytes]:
        """Write a span as the lines of one interval, and note it as printed."""
        rows = [row for k in range(first, end) if (row := self.row(k, at)) is not None]
        self.stream.add(first, end)
        if not self.array:
            self.stream.event_lines += len(rows)
            return [row + b"\n" for row in rows]
        self.stream.event_lines += 1
        return [b"[" + b",".join(rows) + b"]\n"]

    def lost(self, count: int, at: float) -> bytes:
        """Write ig's warning that the kernel's buffer overflowed."""
        self.stream.lost += count
        if self.command.generation == "builtin":
            message = b'"type":"warn","message":"lost %d samples"' % count
            return b'{"runtime":{},"k8s":{},' + message + b"}\n"
        warning = b'time="%b" level=warning msg="reading event: lost %d samples"\n'
        return warning % (self.stamp.second(at), count)


def _names(who: Identity) -> dict[bytes, bytes | int]:
    return {
        b"ns": who.namespace.encode(),
        b"pod": who.pod.encode(),
        b"container": who.container.encode(),
        b"id": who.container_id.encode(),
        b"raw": 0,
        b"iso": b"",
    }
