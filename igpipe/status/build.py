"""Views built of what the parts tell, one function a view. Pure."""

from collections import Counter
from typing import Any

from igpipe.metrics import Leaders
from igpipe.model import LineAccount
from igpipe.pump import GadgetTotals
from igpipe.sinks import SinkStatus
from igpipe.status.parts import Parts
from igpipe.web.views import (
    AccountsView,
    GadgetView,
    LeaderRow,
    LeaderView,
    LookView,
    RotationView,
    SinkView,
)


def rotation_view(status: dict[str, Any], session_seconds: float) -> RotationView:
    """Tell of the rota what ``Rotation.status`` says."""
    nodes = status["nodes"]
    return RotationView(
        slots=status["slots"],
        in_use=status["slots_in_use"],
        period_seconds=status["period_seconds"],
        session_seconds=session_seconds,
        period_kept=status["period_kept"],
        next_due_seconds=status["next_due_seconds"],
        nodes={"eligible": nodes["eligible"], **nodes["skipped"]},
    )


def look_view(look: dict[str, Any]) -> LookView:
    """Tell of the last look at a node."""
    return LookView(
        node=look["node"], gadget=look["gadget"], ended=look["ended"], exposure=look["exposure"]
    )


def gadget_view(total: GadgetTotals, recent: list[float]) -> GadgetView:
    """Tell of a gadget's lines, and of its *recent* rates, events a second."""
    account = total.account
    return GadgetView(
        lines=account.lines,
        bytes=account.bytes,
        events=account.events,
        stderr=account.stderr,
        rejected=_rejected(account),
        dropped=_dropped(account),
        missed=account.missed,
        filtered=account.filtered,
        frame_bytes=account.frame_bytes,
        lost_samples=account.lost_samples,
        gaps=total.gaps,
        recent=recent,
    )


def leader_view(found: Leaders) -> LeaderView:
    """Tell who is seen most."""
    rows = [LeaderRow(labels=labels, value=value) for labels, value in found.series]
    return LeaderView(metric=found.name, help=found.help, rows=rows)


def sink_view(status: SinkStatus) -> SinkView:
    """Tell of a sink's records and its lag."""
    account = status.account
    return SinkView(
        name=status.name,
        type=status.kind,
        state=status.state.value,
        recovered=account.recovered,
        forwarded=account.forwarded,
        delivered=account.delivered,
        duplicate=account.duplicate,
        dead_lettered=account.dead_lettered,
        expired=account.expired,
        evicted=account.evicted,
        pending=account.pending,
        lag_bytes=status.lag_bytes,
        lag_seconds=status.lag(),
        last_error=status.last_error,
    )


def accounts_view(parts: Parts, totals: dict[str, GadgetTotals]) -> AccountsView:
    """Sum up what every line and every event became."""
    every = LineAccount()
    for total in totals.values():
        every.add(total.account)
    offered = sum((total.offered for total in totals.values()), Counter[str]())
    return AccountsView(
        balanced=all(total.account.balanced() for total in totals.values())
        and every.events == offered.total()
        and all(status.account.balanced() for status in parts.sinks),
        lines=every.lines,
        event_lines=every.event_lines,
        stderr=every.stderr,
        rejected=_rejected(every),
        dropped=_dropped(every),
        missed=every.missed,
        filtered_lines=every.filtered,
        events=every.events,
        forwarded=offered["forwarded"],
        filtered=offered["filtered"],
        shed=offered["shed"],
        session_records=parts.ledger.records,
    )


def _rejected(account: LineAccount) -> int:
    return sum(account.rejected.values())


def _dropped(account: LineAccount) -> int:
    return sum(account.dropped.values())
