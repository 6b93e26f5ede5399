"""Sessions: short stays on nodes, one after the other, each bounded in every way."""

from igpipe.sessions.alerts import requests_of
from igpipe.sessions.ending import Ending, Scope
from igpipe.sessions.lease import Holding, Lease
from igpipe.sessions.looks import Looks
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.order import Asker, Order, Part, Request
from igpipe.sessions.pause import ANNOTATION
from igpipe.sessions.plan import Plan, lease_name, pod_name, selector, timeout_seconds
from igpipe.sessions.ports import ClusterPorts, Container, Journal, NodeSet, StreamResult
from igpipe.sessions.reaper import Reaped, reap
from igpipe.sessions.report import Surroundings
from igpipe.sessions.rotation import Rotation
from igpipe.sessions.session import GadgetRecord, Session, Streams

__all__ = [
    "ANNOTATION",
    "Asker",
    "ClusterPorts",
    "Container",
    "Ending",
    "GadgetRecord",
    "Holding",
    "Journal",
    "Lease",
    "Looks",
    "NodeSet",
    "Order",
    "Part",
    "Plan",
    "Reaped",
    "Request",
    "Rotation",
    "Scope",
    "Session",
    "StreamResult",
    "Streams",
    "Surroundings",
    "build_manifest",
    "lease_name",
    "pod_name",
    "reap",
    "requests_of",
    "selector",
    "timeout_seconds",
]
