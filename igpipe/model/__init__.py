"""The words of the design as plain values that every stage may know. Pure."""

from igpipe.model.account import LineAccount
from igpipe.model.batch import NO_PID, RECORD_BYTES, Batch, Event, Lines, Shown
from igpipe.model.cluster import ContainerState, LeaseState, Node, Phase, PodState, Skip, Taint
from igpipe.model.session import SESSION_GADGET, Outcome, Reason, Source, State
from igpipe.model.stream import (
    Block,
    Dropped,
    End,
    EndKind,
    Gap,
    NodeCost,
    Report,
    Resumed,
    StreamItem,
)

__all__ = [
    "NO_PID",
    "RECORD_BYTES",
    "SESSION_GADGET",
    "Batch",
    "Block",
    "ContainerState",
    "Dropped",
    "End",
    "EndKind",
    "Event",
    "Gap",
    "LeaseState",
    "LineAccount",
    "Lines",
    "Node",
    "NodeCost",
    "Outcome",
    "Phase",
    "PodState",
    "Reason",
    "Report",
    "Resumed",
    "Shown",
    "Skip",
    "Source",
    "State",
    "StreamItem",
    "Taint",
]
