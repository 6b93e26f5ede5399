"""What all visits share."""

from collections.abc import Callable
from dataclasses import dataclass

from igpipe.sessions.board import Board
from igpipe.sessions.ending import Scope
from igpipe.sessions.fallback import Fallback
from igpipe.sessions.plan import Plan
from igpipe.sessions.ports import Pods
from igpipe.sessions.session import Streams


@dataclass(frozen=True, slots=True)
class Desk:
    """
    The plan, the calls and the boards of one rotation.

    *scope* gives the nodes of the latest snapshot, *wall* unix seconds. ``board.change`` is told
    of whatever may end a session: Pods, nodes, the Lease. ``fallback`` is told of nodes that
    cannot start the tap.
    """

    plan: Plan
    pods: Pods
    streams: Streams
    board: Board
    scope: Callable[[], Scope]
    wall: Callable[[], float]
    fallback: Fallback
