"""Sessions: short stays on nodes, one after the other, each bounded in every way."""

from igpipe.sessions.ending import Ending
from igpipe.sessions.lease import Holding, Lease
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan, pod_name, selector, timeout_seconds
from igpipe.sessions.ports import ClusterPorts, Container, NodeSet, StreamResult
from igpipe.sessions.reaper import Reaped, reap
from igpipe.sessions.rotation import Rotation
from igpipe.sessions.session import GadgetRecord, Session, Streams

__all__ = [
    "ClusterPorts",
    "Container",
    "Ending",
    "GadgetRecord",
    "Holding",
    "Lease",
    "NodeSet",
    "Plan",
    "Reaped",
    "Rotation",
    "Session",
    "StreamResult",
    "Streams",
    "build_manifest",
    "pod_name",
    "reap",
    "selector",
    "timeout_seconds",
]
