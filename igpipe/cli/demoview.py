"""What the demo shows on a terminal: sessions, counts and sinks, every string escaped."""

from collections import Counter

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from igpipe.demo import Stage
from igpipe.model import Outcome
from igpipe.text import safe

RECENT = 6
"""Ended sessions that are shown."""
LINES = "[bold]lines = events' lines + stderr + rejected + dropped[/] (lost: in the kernel)"
RECORDS = (
    "\n[bold]forwarded = delivered + duplicate + dead-lettered + expired + evicted + pending[/]"
)
NEXT = """
Next:
  igpipe demo --faults                let things go wrong
  igpipe replay FILE                  count a recording of ig's output
  igpipe config show > igpipe.yaml    on a cluster: igpipe doctor, igpipe run"""


def one_line(stage: Stage) -> str:
    """Say how it goes in one line."""
    parts = stage.parts
    totals = parts.pump.totals().values()
    events = sum(total.account.events for total in totals)
    lost = sum(total.account.lost_samples for total in totals)
    delivered = ", ".join(f"{s.name} {s.account.delivered}" for s in parts.sinks)
    return (
        f"{stage.cluster.now:5.0f} s  {len(parts.rotation.sessions)} sessions run, "
        f"{len(parts.rotation.history)} ended; {events} events, {lost} lost in the kernel; "
        f"{parts.metrics.lines} series; delivered: {delivered}"
    )


def live(stage: Stage) -> RenderableType:
    """Draw the running demo."""
    return Group(one_line(stage), "", _sessions(stage), LINES, _gadgets(stage))


def closing(stage: Stage, wrong: list[str]) -> RenderableType:
    """Draw the closing account, and say whether it balances."""
    verdict = (
        "[bold green]The accounts balance, and nothing is left in the cluster.[/]"
        if not wrong
        else "\n".join(f"[bold red]Wrong:[/] {escape(safe(fault, 500))}" for fault in wrong)
    )
    return Group(
        _outcomes(stage),
        LINES,
        _gadgets(stage),
        _lines(stage),
        RECORDS,
        _sinks(stage),
        verdict,
        NEXT,
    )


def _sessions(stage: Stage) -> Table:
    table = _table("node", "state", "outcome", "events", "told")
    table.columns[-1].no_wrap = False  # on a narrow terminal this column is the one to give way
    rotation = stage.parts.rotation
    for session in [*list(rotation.history)[-RECENT:], *rotation.sessions]:
        events = sum(gadget.account.events for gadget in session.gadgets.values())
        outcome = session.outcome.value if session.outcome else ""
        told = session.ending.message if session.ending else ""
        named = f"{outcome} {session.reason.value}".strip()
        table.add_row(
            escape(safe(session.node.name, 40)), session.state.value, named, str(events),
            Text(safe(told, 60), no_wrap=True, overflow="ellipsis"),
        )  # fmt: skip
    return table


def _outcomes(stage: Stage) -> Table:
    table = _table("outcome", "reason", "sessions")
    counts = Counter((s.outcome, s.reason) for s in stage.parts.rotation.history)
    for (outcome, reason), count in sorted(counts.items(), key=lambda item: -item[1]):
        table.add_row((outcome or Outcome.FAILED).value, reason.value, str(count))
    return table


def _gadgets(stage: Stage) -> Table:
    table = _table(
        "gadget", "lines", "ev.lines", "stderr", "reject", "drop", "events", "lost", "gaps",
    )  # fmt: skip
    for gadget, total in sorted(stage.parts.pump.totals().items()):
        account = total.account
        numbers = (
            account.lines,
            account.event_lines,
            account.stderr,
            sum(account.rejected.values()),
            sum(account.dropped.values()),
            account.events,
            account.lost_samples,
            total.gaps,
        )
        table.add_row(gadget, *map(str, numbers))
    return table


def _lines(stage: Stage) -> str:
    """Hold what was read against what the nodes know they printed."""
    totals = stage.parts.pump.totals().values()
    read = sum(total.account.lines for total in totals)
    offered = sum((total.offered for total in totals), Counter[str]())
    printed = stage.cluster.truth.lines
    unread = " (what is behind a cut is not read)" if read < printed else ""
    return (
        f"nodes printed {printed} lines, igpipe read {read}{unread}\n"
        f"events: {offered['forwarded']} forwarded + {offered['filtered']} filtered"
        f" + {offered['shed']} shed = {offered.total()}\n"
        f"records: {offered['forwarded']} events + {stage.parts.ledger.records} sessions"
    )


def _sinks(stage: Stage) -> Table:
    table = _table(
        "sink", "forwarded", "delivered", "duplicate", "dead", "expired", "evicted", "pending",
    )  # fmt: skip
    for sink in stage.parts.sinks:
        account = sink.account
        numbers = (
            account.forwarded, account.delivered, account.duplicate, account.dead_lettered,
            account.expired, account.evicted, account.pending,
        )  # fmt: skip
        table.add_row(sink.name, *map(str, numbers))
    return table


def _table(*columns: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        text = column in ("gadget", "node", "state", "outcome", "reason", "sink", "told")
        table.add_column(column, justify="left" if text else "right", no_wrap=True)
    return table
