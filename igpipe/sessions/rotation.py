"""
The rotation: identical slots that take the next node, visit it, and go on; for ever.

Everything happens under the Lease. What runs is nested: the Lease and the board of Pods outlive
the slots, so that stopping first ends the sessions and then gives the instance back.
"""

import asyncio
import logging
import secrets
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from igpipe.backoff import Backoff
from igpipe.errors import Refused
from igpipe.model import Outcome
from igpipe.sessions.board import Board
from igpipe.sessions.brake import Brake
from igpipe.sessions.change import Change
from igpipe.sessions.desk import Desk
from igpipe.sessions.ending import NOT_READY, Scope
from igpipe.sessions.entries import Entries, left_by
from igpipe.sessions.fallback import Fallback
from igpipe.sessions.lease import Lease
from igpipe.sessions.looks import Looks
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.order import Order
from igpipe.sessions.pause import API_FAULTS
from igpipe.sessions.plan import Plan, pod_name, selector
from igpipe.sessions.ports import ClusterPorts, NodeSet
from igpipe.sessions.reaper import Reaper
from igpipe.sessions.report import Report, Surroundings
from igpipe.sessions.rota import Rota
from igpipe.sessions.session import Session, Streams
from igpipe.sessions.stages import Stages
from igpipe.sessions.turns import Turn, Turns
from igpipe.sessions.visit import Visit
from igpipe.tasks import background

log = logging.getLogger(__name__)

HISTORY: Final = 200
"""Ended sessions that are remembered."""
_OVERHEAD_SECONDS: Final = 5.0
"""First guess of what a session takes beside its duration; what sessions take replaces it."""


class Rotation:
    """
    Looks at every node once a period.

    ``history`` holds the last ended sessions, oldest first; ``looks`` those that were asked for,
    which go ahead of the others. Raises ConfigError at once if a gadget's command cannot be
    written.
    """

    def __init__(
        self,
        plan: Plan,
        cluster: ClusterPorts,
        streams: Streams,
        around: Surroundings,
    ) -> None:
        build_manifest(plan, "node", "session")
        self.history: deque[Session] = deque(maxlen=HISTORY)
        self._plan = plan
        self._telemetry, self._wall = around.telemetry, around.wall
        self._looked: Mapping[str, float] = {}
        self._scope = Scope()
        self._live: dict[str, Session] = {}
        self._seed = secrets.randbits(32) if plan.rotation.seed is None else plan.rotation.seed
        seconds = plan.session.duration + _OVERHEAD_SECONDS
        self._rota = Rota(
            plan.rotation,
            session_seconds=seconds,
            seed=self._seed,
            continuous=plan.continuous,
            rotates=plan.rotates,
        )
        self._backoff = Backoff()
        self._due = Change()  # told when another node may be taken
        for gadget in plan.names:
            self._telemetry.known(gadget)
        self._brake = Brake(
            self._rota,
            plan.rotation,
            self._changed,
            telemetry=self._telemetry,
            health=around.health,
        )
        instance = plan.cluster.instance
        self._board = Board(cluster, selector(instance), Change())
        self._lease = Lease(
            cluster,
            plan.cluster,
            change=self._due,
            telemetry=self._telemetry,
            health=around.health,
            wall=around.wall,
        )
        self._lease.lasts = plan.rotates  # whoever only looks leaves nothing behind
        self._lease.seen = self._brake.seen
        self._stages = Stages(plan, self._lease, telemetry=around.rollout, health=around.health)
        self._lease.got = lambda record: self._stages.load(record.annotations)
        self._report = Report(Entries(instance, self._lease.identity), around)
        self._reaper = Reaper(
            cluster,
            plan,
            self._lease,
            self._live.keys,
            report=self._report,
            change=self._due,
        )
        self._fallback = Fallback(around.wall)
        self._desk = Desk(
            plan, cluster, streams, self._board, lambda: self._scope, around.wall, self._fallback
        )
        self._known = False  # whether there was a snapshot of nodes
        self.looks = Looks(
            plan,
            gate=self._closed,
            scope=lambda: self._scope,
            changed=self._changed,
            telemetry=around.looks,
            wall=around.wall,
        )
        self._turns = Turns(
            self._rota, self.looks, self._brake, self._lease, self._board, self._due
        )

    async def run(self) -> None:
        """Rotate; endless. Cancelled, it ends all sessions and gives the instance back."""
        log.info("rotating", extra={"seed": self._seed, "instance": self._plan.cluster.instance})
        slots = {f"slot-{i}": self._slot for i in range(self._plan.rotation.max_slots)}
        async with background(lease=self._lease.run, board=self._board.run):
            try:
                async with background(reaper=self._reaper.run, looks=self.looks.run, **slots):
                    await asyncio.Event().wait()
            finally:
                await self._reaper.close()

    def restore(self, looked: Mapping[str, float]) -> None:
        """Take over the last looks of an earlier process (node → unix seconds), before nodes."""
        self._looked = looked

    def update_nodes(self, nodes: NodeSet) -> None:
        """Take the latest snapshot, divided by ``nodes.select``; sessions elsewhere end."""
        now, kept = asyncio.get_running_loop().time(), self._rota.keeps_period
        ago = {name: now - (self._wall() - at) for name, at in self._looked.items()}
        self._scope = Scope(frozenset(node.name for node in nodes.eligible), nodes.skipped)
        self._rota.update(nodes.eligible, now, ago)
        self._stages.nodes(self._scope.eligible)
        self._looked, self._known = {}, True  # from here on the rota knows
        counts = Counter(skip.value for skip in nodes.skipped.values())
        self._telemetry.nodes({"eligible": len(nodes.eligible), **counts})
        if kept and not self._rota.keeps_period:
            fields = {"needed": self._rota.needed, "max_slots": self._plan.rotation.max_slots}
            log.warning("too few slots to look at every node once a period", extra=fields)
        self._changed()
        self._board.change.tell()

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions that live now, oldest first."""
        return tuple(self._live.values())

    @property
    def paused(self) -> bool:
        """Whether no new session is started."""
        return self._rota.paused

    def pause(self) -> None:
        """Start no new session; those that run go on."""
        self._brake.pause()

    def resume(self) -> None:
        """Start sessions again, unless the Lease is annotated; try a stopped ig once more."""
        self._stages.retry()
        self._brake.resume()

    async def idle(self) -> None:
        """Wait until no session lives; they go on coming unless it is paused."""
        while self._live:
            await self._due.wait()

    def status(self) -> dict[str, Any]:
        """Return the rotation's state for JSON."""
        rota, rotation = self._rota, self._plan.rotation
        now = asyncio.get_running_loop().time()
        due = rota.next_due(now)
        return {
            "instance": self._plan.cluster.instance,
            "lease_held": self._lease.holding is not None,
            "lease_holder": self._lease.holder,
            "paused": rota.paused,
            "pauses": dict(self._brake.reasons),
            "seed": self._seed,
            "period_seconds": rotation.period,
            "period_kept": rota.keeps_period,
            "next_due_seconds": None if due is None else due - now,
            "slots": rota.slots,
            "slots_in_use": rota.in_use,
            "slots_needed": rota.needed,
            "max_slots": rotation.max_slots,
            "nodes": {
                "eligible": len(self._scope.eligible),
                "skipped": dict(Counter(skip.value for skip in self._scope.skipped.values())),
            },
            "rollout": self._stages.status(),
            "residual_pods": self._reaper.residual,
            "reaped_pods": self._reaper.removed,
        }

    async def _slot(self) -> None:
        while True:
            turn = await self._turns.take()
            session = self._open(turn)
            visit = Visit(replace(self._desk, plan=session.plan), session, turn.holding)
            try:
                await visit.run()
            finally:
                self._close(session, turn.order)
            if session.reason in API_FAULTS:
                await asyncio.sleep(self._backoff.next())
            else:
                self._backoff.reset()

    def _open(self, turn: Turn) -> Session:
        node, order = turn.node, turn.order
        identity = f"{int(self._wall() * 1000):x}{secrets.token_hex(3)}"
        pod = pod_name(self._plan.cluster.instance, node.name)
        asked = self._plan if order is None else order.plan
        release, stage = self._stages.release_for(node, trial=order is None)
        why = {"kind": "rotation", "seed": self._seed} if order is None else order.why
        why |= {"rollout": stage} if stage else {}
        plan, fault = self._fallback.plan(node.name, release.on(asked))
        session = Session(identity, node, pod, plan, self._board.change.tell, why)
        session.release, session.tap_fault = release, fault
        self._live[identity] = session
        self._report.began(session)
        if order is not None:
            session.weighted, session.shown = False, order.show
            self.looks.began(order, session)
        self._changed()
        return session

    def _close(self, session: Session, order: Order | None) -> None:
        del self._live[session.id]
        failed = session.outcome is Outcome.FAILED
        now = asyncio.get_running_loop().time()
        self.history.append(session)
        if order is None:
            self._rota.release(session.node, failed=failed, now=now)
            if self._stages.ended(session):
                self._rota.hasten(session.node.name, now)
        else:
            self._rota.give_back(session.node, now)
            self.looks.ended(order, session)
        if session.removal.left:
            self._reaper.soon(left_by(session))
        if session.ending is not None:  # else the visit ended by a bug, which is on its way
            self._report.ended(session, session.ending)
            if order is None or session.ending == NOT_READY:  # else it says nothing of the others
                self._brake.ended(session.node.name, session.ending, now)
        self._changed()

    def _closed(self) -> Refused | None:
        """Tell why no look can be had on demand."""
        if self._lease.holding is None or not self._known:
            holder = self._lease.holder
            told = f"the instance is held by {holder}" if holder else "igpipe has not started yet"
            return Refused("standby", told)
        if self._rota.paused:
            return Refused("paused", f"paused: {'; '.join(self._brake.reasons.values())}")
        return None

    def _changed(self) -> None:
        rota = self._rota
        self._telemetry.slots(
            rota.slots, rota.in_use, period_kept=rota.keeps_period, paused=rota.paused
        )
        self._due.tell()
