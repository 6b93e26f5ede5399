"""Which nodes are read without the tap, since they could not start it. Pure."""

from collections.abc import Callable
from typing import Final

from igpipe.sessions.plan import Plan

_LASTS: Final = 3600.0
"""Seconds until a node's next session tries the tap again: a registry may have been down."""


class Fallback:
    """
    Remembers for an hour why a node could not start a tap; *wall* gives unix seconds.

    What is over is forgotten with the next fault, so it holds no more than an hour's nodes.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._faults: dict[tuple[str, str], tuple[float, str]] = {}  # by node and image

    def refuse(self, node: str, plan: Plan, why: str) -> None:
        """Note that *node* could not start the tap of *plan*."""
        now = self._wall()
        self._faults = {key: f for key, f in self._faults.items() if f[0] > now}
        self._faults[node, plan.session.tap_image] = now + _LASTS, why

    def plan(self, node: str, plan: Plan) -> tuple[Plan, str]:
        """Return the plan for *node*, and why it goes without the tap; empty: as planned."""
        until, why = self._faults.get((node, plan.session.tap_image), (0.0, ""))
        if not plan.may_go_plain or self._wall() >= until:
            return plan, ""
        return plan.plain(), why
