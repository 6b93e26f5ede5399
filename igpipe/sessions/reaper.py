"""Remove session Pods of this instance that no live session owns."""

import asyncio
import logging
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from igpipe.errors import ClusterError, Conflict, NotFound
from igpipe.model import PodState
from igpipe.sessions.change import Change
from igpipe.sessions.entries import Leftover, left_over
from igpipe.sessions.lease import Holding, Lease
from igpipe.sessions.plan import GRACE_SECONDS, NODE, SESSION, Plan, selector
from igpipe.sessions.ports import Pods
from igpipe.sessions.report import Report
from igpipe.tasks import finish

log = logging.getLogger(__name__)

_SOON_SECONDS: Final = 10.0
"""When the reaper looks again after a session left its Pod."""
_CLOSE_SECONDS: Final = 5.0
_LEAST_SECONDS: Final = 1.0
"""How long it rests at least, also when the Pods could not be listed."""


@dataclass(frozen=True, slots=True)
class Reaped:
    """
    What a run found that nobody owns.

    ``removed`` were asked to go now (or would be, in a dry run); ``residual`` should be gone and
    are not: asked before, or not to be asked.
    """

    removed: tuple[PodState, ...] = ()
    residual: tuple[PodState, ...] = ()


async def reap(
    pods: Pods,
    instance: str,
    live: Callable[[], Collection[str]] = frozenset,
    *,
    dry_run: bool = False,
) -> Reaped:
    """
    Remove the Pods of *instance* whose session is not among the *live* ids.

    The caller holds the instance's Lease, or only looks. Raises ClusterError if the Pods cannot
    be listed. Never forces: a Pod on a node that is out of reach may still run.
    """
    listed = await pods.list_pods(selector(instance))
    owned = live()  # asked after the list: a session is live before its Pod is created
    orphans = [pod for pod in listed if pod.labels.get(SESSION) not in owned]
    removed = [pod for pod in orphans if not pod.deleting]
    residual = [pod for pod in orphans if pod.deleting]
    for pod in [] if dry_run else list(removed):
        if not await _remove(pods, pod):
            removed.remove(pod)
            residual.append(pod)
    return Reaped(tuple(removed), tuple(residual))


class Reaper:
    """
    Reaps when the instance is got, and every ``reap_interval``; only while it is held.

    It remembers what it and sessions left until that is seen gone.
    """

    def __init__(
        self,
        pods: Pods,
        plan: Plan,
        lease: Lease,
        live: Callable[[], Collection[str]],
        *,
        report: Report,
        change: Change,
    ) -> None:
        self.residual = 0
        self.removed = 0
        self._report = report
        self._leftovers: dict[str, Leftover] = {}  # by uid, until they are seen gone
        self._pods = pods
        self._plan = plan
        self._lease = lease
        self._live = live
        self._change = change  # told when a holding is clean, tells when there is another
        self._wanted = math.inf  # loop time at which a run is asked for

    def soon(self, leftover: Leftover) -> None:
        """Ask for a run in a few seconds: a session left its Pod."""
        if leftover.uid:
            self._leftovers[leftover.uid] = leftover
        self._wanted = min(self._wanted, asyncio.get_running_loop().time() + _SOON_SECONDS)
        self._change.tell()

    async def run(self) -> None:
        """Reap for ever."""
        while True:
            holding = await self._lease.acquired()
            self._wanted = math.inf
            reaped = await self._reap(holding)
            await self._idle(
                holding, self._plan.rotation.reap_interval if reaped else _SOON_SECONDS
            )

    async def close(self) -> None:
        """Look once more if a session left its Pod since the last run; nobody else may for long."""
        holding = self._lease.holding
        if holding is None or self._wanted == math.inf:
            return
        try:
            await finish(self._last(holding), within=_CLOSE_SECONDS)
        except TimeoutError:
            log.warning("Pods may be left for the next reaper")

    async def _last(self, holding: Holding) -> None:
        await self._reap(holding)

    async def _idle(self, holding: Holding, seconds: float) -> None:
        """Wait for the next run: *seconds*, less if it is wanted or the instance changed hands."""
        loop = asyncio.get_running_loop()
        end = loop.time() + max(seconds, _LEAST_SECONDS)
        while not holding.lost and (left := min(end, self._wanted) - loop.time()) > 0:
            await self._change.wait(left)

    async def _reap(self, holding: Holding) -> bool:
        try:
            reaped = await reap(self._pods, self._plan.cluster.instance, self._live)
        except ClusterError as exc:
            log.warning("cannot list session Pods", extra={"error": str(exc)})
            return False
        self.residual = len(reaped.residual)
        self.removed += len(reaped.removed)
        self._tell(reaped)
        if reaped.removed:  # to see them gone
            self._wanted = asyncio.get_running_loop().time() + _SOON_SECONDS
        holding.clean = True
        self._change.tell()
        return True

    def _tell(self, reaped: Reaped) -> None:
        """Tell what was removed now, and what was there before and is not any more."""
        found = {pod.uid: left_over(pod) for pod in (*reaped.removed, *reaped.residual)}
        gone = [left for uid, left in self._leftovers.items() if uid not in found]
        self._leftovers = found
        removed = [found[pod.uid] for pod in reaped.removed]
        self._report.reaped(removed, gone, residual=self.residual)


async def _remove(pods: Pods, pod: PodState) -> bool:
    fields = {"pod": pod.name, "node": pod.annotations.get(NODE, pod.node), "phase": pod.phase}
    try:
        await pods.delete_pod(pod.name, uid=pod.uid, grace_seconds=GRACE_SECONDS)
    except (NotFound, Conflict):
        return True
    except ClusterError as exc:
        log.warning("cannot remove a Pod that nobody owns", extra={**fields, "error": str(exc)})
        return False
    log.info("removed a Pod that nobody owned", extra=fields)
    return True
