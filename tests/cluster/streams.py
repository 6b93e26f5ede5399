"""One busy stream on a real node, compared event by event with what the node wrote."""

import asyncio
from pathlib import Path
from typing import Any

from igpipe.config import Config
from igpipe.model import LineAccount, Reason
from igpipe.status import Parts
from tests.cluster.conftest import Report
from tests.cluster.nodelogs import NodeLogs, node_logs
from tests.cluster.rig import Rig
from tests.cluster.scenes import finished, observing, outcomes, service
from tests.cluster.tee import Comparison, Tee, Where, compare, recorded

GADGET = "trace_open"
_CONTAINER = "trace-open"


def busy(rig: Rig, rate: int, seconds: float, server: str = "") -> Config:
    """
    Configure one session on one node, whose gadget prints *rate* events a second.

    It reaches the API server by *server*, if that is given.
    """
    sections: dict[str, Any] = {
        "session": {"duration": seconds, "drain": 30},
        "rotation": {"period": 600, "max_slots": 1},
        "nodes": {"selector": "kubernetes.io/hostname=node-a"},
        "gadgets": [{"name": GADGET, "params": {"rate": str(rate)}}],
    }
    if server:
        path = rig.control.kubeconfig("through-cutter", "system:masters", server)
        sections["cluster"] = {"kubeconfig": str(path)}
    return service(rig, **sections)


def account(parts: Parts) -> LineAccount:
    """Return the account of the one session's stream."""
    (session,) = parts.rotation.history
    return session.gadgets[GADGET].account


def check(parts: Parts, logs: NodeLogs, tee: Tee) -> Comparison:
    """
    Compare the one session's stream with the node's files, and return what they tell.

    Each event that was read is in igpipe's account, once; a gap was told for each time that events
    were lost while the log was closed. What one follow lost is the end of a file that was rotated;
    a stream whose end is missing is no complete one. A rotation tears a line at most.

    On a machine that is busy otherwise the queue may overflow: those lines are counted as dropped.
    """
    (session,) = parts.rotation.history
    found = compare(logs.digests(session.pod_uid, _CONTAINER), tee.digests())
    told = account(parts)

    assert told.balanced()
    # What a rotation tore or spliced may still be JSON, and then counts as an event.
    handled, dropped = told.events + sum(told.rejected.values()), sum(told.dropped.values())
    assert handled - found.torn <= found.read <= handled + dropped, (told, found)
    assert sum(told.rejected.values()) <= found.torn < found.files, (told, found)
    assert session.as_dict()["gadgets"][GADGET]["gaps"] == len(found.lost(Where.BETWEEN)), found
    assert all(loss.to_end for loss in found.lost(Where.WITHIN)), found
    assert len(found.lost(Where.WITHIN)) < found.files
    assert not found.lost(Where.END) or session.reason is Reason.STREAM_LOST, found
    return found


async def stream_steadily(
    rig: Rig, folder: Path, report: Report, *, rate: int, seconds: float
) -> Comparison:
    """Read one stream without any interruption, and tell what each rotation has cost."""
    with node_logs(rig) as logs:
        async with recorded(busy(rig, rate, seconds), folder) as (parts, tee):
            await observing(parts)
            await finished(parts, seconds + 60)
        found = await asyncio.to_thread(check, parts, logs, tee)
    assert outcomes(parts).keys() == {"completed  "}, (outcomes(parts), found)
    assert found.files > 1
    assert not found.lost(Where.BETWEEN)
    report("events written, read", (found.written, found.read))
    report("rotations", found.files - 1)
    report("lines torn", found.torn)
    report("lines dropped for want of time", sum(account(parts).dropped.values()))
    report("events lost at a rotation", [loss.events for loss in found.lost(Where.WITHIN)])
    return found
