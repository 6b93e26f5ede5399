"""One container that a kubelet runs: its state, its log, and the ig in it."""

import math
from dataclasses import replace
from typing import Any, Final

from igpipe.sim.command import Command, parse
from igpipe.sim.faults import StreamFault
from igpipe.sim.log import ContainerLog
from igpipe.sim.objects import Object
from igpipe.sim.player import Player, Start
from igpipe.sim.recordings import recording
from igpipe.sim.status import ContainerView
from igpipe.sim.tapped import Tapped, behind, is_tap
from igpipe.sim.truth import Stream
from igpipe.sim.world import World

_WASM: Final = {"trace_exec", "trace_dns", "trace_fsslower", "trace_mount", "traceloop"}
"""Gadgets that compile at their start, which takes them over a second."""
_KILLED: Final = 137
_GAP: Final = 2.5
"""Seconds of log that a rotation gap costs: more than the second by which a replay is rounded."""
_LASTS: Final = 10.0
"""How long a gadget without a timeout is taken to last, where faults are planned."""


class Container:
    """A container from its creation to its end; ``lasts`` is how long its gadget observes."""

    def __init__(self, world: World, pod: Object, spec: dict[str, Any]) -> None:
        self.view = ContainerView(spec)
        self.log = ContainerLog(world.config.log_file_bytes)
        self.lasts = 0.0
        self._world = world
        self._pod = pod
        self._player: Player | None = None
        self._tapped: Tapped | None = None
        self._stream: Stream | None = None

    def start(self, draw: float) -> None:
        """Start it; *draw* from 0 to 1 says how slowly its ig starts."""
        world, spec = self._world, self.view.spec
        node = self._pod["spec"]["nodeName"]
        argv = [*spec.get("command", []), *spec.get("args", [])]
        command = _known(parse(behind(argv)))
        self.lasts = command.timeout or _LASTS
        fault = world.plan.container(node, self.view.name, self.lasts)
        script, rows = world.scripts.get(node, command.gadget, command.generation)
        metadata = self._pod["metadata"]
        stream = Stream(
            node=node,
            gadget=command.gadget,
            pod=metadata["name"],
            uid=metadata["uid"],
            container=self.view.name,
            script=script,
            rows=rows,
            shows=command.shows,
            labels=metadata.get("labels") or {},
        )
        world.truth.streams.append(stream)
        self._stream = stream
        takes = 1.0 + 0.5 * draw if command.gadget in _WASM else 0.3 + 0.3 * draw
        start = Start(world.clock.now(), takes * world.config.startup, world.clock.epoch_ns)
        if is_tap(argv):
            self._tapped = Tapped(behind(argv), start.at, start.epoch_ns)
        self._player = Player(command, stream, _environment(spec, self._pod), fault.trouble, start)
        self.view.started_at = world.clock.rfc3339(start.at)
        self.view.container_id = f"containerd://{metadata['uid'].replace('-', '')}{_digits(spec)}"
        self._break(fault, start)

    def advance(self) -> float:
        """Print what is due; tell when there is more, infinity once it has ended."""
        if self._player is None or self.view.ended:
            return math.inf
        now = self._world.clock.now()
        lines = self._player.advance(now)
        if self._tapped is not None:
            lines = self._tapped.log(lines, now)
        if lines:
            self.log.append(lines, self._world.clock.wall())
        if self._player.exit_code is not None:
            self._end(self._player.exit_code)
        due = self._player.due()
        return due if self._tapped is None else self._tapped.due(due)

    def stop(self) -> None:
        """Send SIGTERM."""
        if self._player is not None:
            self._player.stop(self._world.clock.now())

    def kill(self) -> None:
        """End it at once, without last words."""
        if self.view.running:
            self._end(_KILLED)

    def _end(self, code: int) -> None:
        if self._tapped is not None and code != _KILLED:
            frame = self._tapped.end(code, self._world.clock.now())
            self.log.append([frame], self._world.clock.wall())
        self.view.exit_code = code
        self.view.finished_at = self._world.clock.rfc3339(self._world.clock.now())
        self.log.finish()
        if self._stream and self._stream.lost:
            self._note("lost_samples", str(self._stream.lost))
        if self._stream and self._stream.malformed:
            self._note("malformed", str(len(self._stream.malformed)))

    def _break(self, fault: StreamFault, start: Start) -> None:
        """Set up what is to befall its log, once its ig is ready."""
        if fault.trouble.error:
            self._note("gadget_error")
        if not fault.kind:
            return
        when = start.at + start.takes + fault.moment * self.lasts
        gap = min(_GAP, self.lasts / 2)
        self._world.timers.at(when, lambda: self._cut(fault, gap))

    def _cut(self, fault: StreamFault, gap: float) -> None:
        if self.view.ended or not self.log.cut(clean=fault.clean):
            return
        if fault.rotated:
            self.log.lose(self._world.clock.wall() + gap)
        self._note(fault.kind, "clean" if fault.clean else "broken")

    def _note(self, kind: str, detail: str = "") -> None:
        self._world.note(kind, self._pod, container=self.view.name, detail=detail)


def _known(command: Command) -> Command:
    """Make a gadget that has no recording fail as an image that is not there."""
    if command.error or recording(command.generation, command.gadget):
        return command
    where = "fetching gadget information: initializing and preparing operators: instantiating"
    error = f'{where} operator "oci": ensuring image: pulling image "{command.gadget}": not found'
    return replace(command, error=error)


def _environment(spec: dict[str, Any], pod: Object) -> dict[str, str]:
    """Resolve the environment, with the two fields of the Pod that matter."""
    fields = {"spec.nodeName": pod["spec"]["nodeName"], "metadata.name": pod["metadata"]["name"]}
    found: dict[str, str] = {}
    for entry in spec.get("env") or []:
        path = ((entry.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath", "")
        found[entry["name"]] = entry.get("value") or fields.get(path, "")
    return found


def _digits(spec: dict[str, Any]) -> str:
    """Make up the half of a container id that its Pod's uid does not give."""
    return str(spec["name"]).encode().hex().ljust(32, "0")[:32]
