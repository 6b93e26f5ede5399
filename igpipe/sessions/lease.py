"""
Hold the instance: one process acts, the others wait.

A holder renews three times a duration, tries more often when that fails, and gives up after two
thirds of it without success, so that its sessions end before anybody takes over. Another takes over
only after it has seen the record unchanged for the whole duration by its own clock: clocks that
differ do no harm.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from igpipe.backoff import Backoff
from igpipe.config import ClusterConfig
from igpipe.errors import ClusterDenied, ClusterError, ClusterUnavailable, Conflict, NotFound
from igpipe.health import Health
from igpipe.model import LeaseState
from igpipe.sessions.change import Change
from igpipe.sessions.plan import lease_name
from igpipe.sessions.ports import Leases
from igpipe.tasks import finish
from igpipe.telemetry import SessionTelemetry

log = logging.getLogger(__name__)

_RELEASE_SECONDS: Final = 5.0
_RETRIES: Final = 15
"""Parts of a duration after which a renewal that failed is tried again: a few more tries."""
_CONDITION: Final = "lease"


@dataclass(slots=True, eq=False)
class Holding:
    """
    One time of holding the instance.

    ``lost`` says why once it is over; ``clean`` once the Pods that nobody owns were removed in it.
    """

    uid: str
    lost: str = ""
    clean: bool = False


class Lease:
    """
    The instance's Lease; ``holding`` while this process holds it, else None.

    *change* is told when it is got or lost, *wall* gives unix seconds for the record.
    """

    def __init__(
        self,
        leases: Leases,
        config: ClusterConfig,
        *,
        change: Change,
        telemetry: SessionTelemetry,
        health: Health,
        wall: Callable[[], float],
    ) -> None:
        self.identity = f"{socket.gethostname()}_{os.getpid()}_{secrets.token_hex(4)}"
        self.holding: Holding | None = None
        self.holder = ""
        """Who holds the instance, as last seen."""
        self.seen: Callable[[LeaseState], None] = lambda record: None
        """Told of the record whenever it was written; for the owner to set."""
        self.got: Callable[[LeaseState], None] = lambda record: None
        """Told of the record when this process has got it, before anything else."""
        self.lasts = True
        """Whether it stays when it is given back, for others of its instance; likewise."""
        self._notes: dict[str, str] = {}
        self._leases = leases
        self._name = lease_name(config.instance)
        self._duration = config.lease_duration
        self._change = change
        self._held = partial(telemetry.lease, f"{config.namespace}/{self._name}")
        self._held(held=False)
        self._health = health
        self._wall = wall
        self._record: LeaseState | None = None  # as last seen
        self._unchanged_since = 0.0

    def note(self, annotation: str, text: str) -> None:
        """Keep *text* on the Lease, from the next renewal on; whoever has it next finds it."""
        self._notes[annotation] = text

    async def run(self) -> None:
        """Get the instance, keep it, and get it again whenever it is lost; endless."""
        try:
            while True:
                await self._acquire()
                await self._keep()
        finally:
            await self._release()

    async def acquired(self) -> Holding:
        """Wait until this process holds the instance."""
        while self.holding is None:
            await self._change.wait()
        return self.holding

    async def _acquire(self) -> None:
        backoff = Backoff(maximum=self._duration)
        while self.holding is None:
            try:
                await self._try()
                backoff.reset()
                pause = self._duration / 6
            except ClusterError as exc:
                self._health.report(_CONDITION, str(exc))
                log.warning("cannot take the instance", extra={"error": str(exc)})
                pause = backoff.next(_retry_after(exc))
            if self.holding is None:
                await asyncio.sleep(pause)

    async def _try(self) -> None:
        """Take the Lease if it is free."""
        try:
            record = await self._leases.get_lease(self._name)
        except NotFound:
            record = None
        try:
            if record is None:
                self._hold(await self._leases.create_lease(self._claim(None)))
            elif self._free(record):
                self._hold(await self._leases.update_lease(self._claim(record)))
        except (Conflict, NotFound):
            log.info("another process was faster to take the instance")

    def _free(self, record: LeaseState) -> bool:
        now = asyncio.get_running_loop().time()
        if self._record is None or _holds(record) != _holds(self._record):
            if record.holder not in (self.holder, "", self.identity):
                log.info("the instance is held", extra={"holder": record.holder})
            self._record, self._unchanged_since = record, now
            self.holder = record.holder
        duration = record.duration_seconds or self._duration
        if record.holder in ("", self.identity) or now - self._unchanged_since >= duration:
            return True
        self._health.report(_CONDITION, f"held by {record.holder}")
        return False

    def _claim(self, record: LeaseState | None) -> LeaseState:
        now = self._wall()
        return LeaseState(
            name=self._name,
            uid="" if record is None else record.uid,
            version="" if record is None else record.version,
            holder=self.identity,
            duration_seconds=self._duration,
            renewed=now,
            acquired=now,
            transitions=0 if record is None else record.transitions + 1,
            annotations={} if record is None else record.annotations,
        )

    async def _keep(self) -> None:
        """Renew until that fails for too long, or somebody else has the Lease."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        error = ""
        while loop.time() - renewed < self._duration * 2 / 3:
            await asyncio.sleep(self._duration / (_RETRIES if error else 3))
            started = loop.time()
            try:
                async with asyncio.timeout_at(renewed + self._duration * 2 / 3):
                    held = await self._write(self.identity)
            except (ClusterError, TimeoutError) as exc:
                error = str(exc) or error or "no answer in time"
                log.warning("cannot renew the instance", extra={"error": error})
                continue
            if not held:
                self._lose("taken over or deleted")
                return
            renewed, error = started, ""  # nobody can have seen the renewal before
        self._lose(f"not renewed: {error}")

    async def _write(self, holder: str) -> bool:
        """Renew or release the Lease; False if it is not ours any more."""
        record = self._record
        for _ in range(2):
            if record is None or record.holder != self.identity:
                return False
            try:
                renewed = replace(
                    record,
                    holder=holder,
                    renewed=self._wall(),
                    annotations={**record.annotations, **self._notes},
                )
                self._record = await self._leases.update_lease(renewed)
                self.seen(self._record)
            except NotFound:
                return False
            except Conflict:  # somebody annotated it, or an answer to us was lost
                record = await self._read()
            else:
                return True
        return False

    async def _read(self) -> LeaseState | None:
        try:
            return await self._leases.get_lease(self._name)
        except NotFound:
            return None

    def _hold(self, record: LeaseState) -> None:
        self._record, self.holder = record, self.identity
        self.got(record)
        self.seen(record)
        self.holding = Holding(record.uid)
        self._health.report(_CONDITION)
        self._held(held=True)
        log.info("took the instance", extra={"lease": self._name, "holder": self.identity})
        self._change.tell()

    def _lose(self, why: str) -> None:
        if self.holding is None:
            return
        self.holding.lost = why
        self.holding, self._record, self.holder = None, None, ""
        self._health.report(_CONDITION, f"lost: {why}")
        self._held(held=False)
        log.warning("lost the instance", extra={"lease": self._name, "why": why})
        self._change.tell()

    async def _release(self) -> None:
        if self.holding is None:
            return
        self.holding.lost = "given back"
        self.holding = None
        self._held(held=False)
        try:
            await finish(self._give_back(), within=_RELEASE_SECONDS)
        except (ClusterError, TimeoutError) as exc:
            log.warning("the instance is free only later", extra={"error": str(exc)})

    async def _give_back(self) -> None:
        """Release it, or let it be gone while nobody else can have it."""
        if self.lasts or self._record is None or not await self._deleted(self._record):
            await self._write("")

    async def _deleted(self, record: LeaseState) -> bool:
        """Delete the Lease; False if somebody has written to it, or it is not allowed."""
        try:
            await self._leases.delete_lease(record)
        except (Conflict, ClusterDenied) as exc:
            log.info("the Lease stays", extra={"lease": record.name, "why": str(exc)})
            return False
        except NotFound:
            pass
        return True


def _holds(record: LeaseState) -> tuple[str, float, float, int]:
    """Return what a holder changes; others may annotate the Lease."""
    return record.holder, record.renewed, record.acquired, record.transitions


def _retry_after(error: ClusterError) -> float | None:
    return error.retry_after if isinstance(error, ClusterUnavailable) else None
