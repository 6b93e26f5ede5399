"""What became of all that was read, and what was lost. Pure."""

from igpipe.web.html import Cell, Row, brief, loss, section, table
from igpipe.web.views import GadgetView, Sessions, SinkView, Status


def losses(status: Status, _: Sessions) -> str:
    """Show all that was lost or left out, and that nothing was where nothing was."""
    gadgets, sinks = status["gadgets"].values(), status["sinks"]
    rows: list[Row] = [
        ("lines rejected (bad)", loss(sum(g["rejected"] for g in gadgets))),
        ("lines dropped (a bound was full)", loss(sum(g["dropped"] for g in gadgets))),
        ("samples lost in the kernel, at least", loss(sum(g["lost_samples"] for g in gadgets))),
        ("gaps in log streams", loss(sum(g["gaps"] for g in gadgets))),
        ("events shed before forwarding", loss(status["accounts"]["shed"])),
        ("records dead-lettered", loss(sum(s["dead_lettered"] for s in sinks))),
        ("records expired", loss(sum(s["expired"] for s in sinks))),
        ("records evicted", loss(sum(s["evicted"] for s in sinks))),
        ("increments folded into other series", loss(status["series"]["folded"])),
        ("residual Pods", loss(status["residual_pods"])),
    ]
    return section("losses", "Losses", table("Losses", ("what", "count"), rows, ""))


def gadgets(status: Status, _: Sessions) -> str:
    """Give each gadget's account."""
    heads = ("gadget", "lines", "bytes", "events", "stderr", "rejected", "dropped", "lost", "gaps")
    rows = (_gadget(name, view) for name, view in sorted(status["gadgets"].items()))
    body = table("Gadgets", heads, rows, "Nothing was read yet.")
    return section("gadgets", "Gadgets since the start", body)


def sinks(status: Status, _: Sessions) -> str:
    """Give each sink's account and lag."""
    heads = (
        "sink", "type", "state", "recovered", "forwarded", "delivered", "duplicate",
        "dead-lettered", "expired", "evicted", "pending", "bytes", "lag", "last error",
    )  # fmt: skip
    body = table("Sinks", heads, map(_sink, status["sinks"]), "None: metrics only.")
    return section("sinks", "Sinks", body)


def accounts(status: Status, _: Sessions) -> str:
    """Give the sums that must be equal."""
    sums = status["accounts"]
    balanced = sums["balanced"]
    rows: list[Row] = [
        ("balanced", Cell("yes" if balanced else "no", "good" if balanced else "bad"))
    ]
    rows += [(name.replace("_", " "), count) for name, count in sums.items() if name != "balanced"]
    return section("accounts", "Accounts", table("Accounts", ("sum", "count"), rows, ""))


def _gadget(name: str, view: GadgetView) -> Row:
    plain = (name, view["lines"], view["bytes"], view["events"], view["stderr"])
    lossy = (view["rejected"], view["dropped"], view["lost_samples"], view["gaps"])
    return (*plain, *(loss(count) for count in lossy))


def _sink(view: SinkView) -> Row:
    lost = (loss(view["dead_lettered"]), loss(view["expired"]), loss(view["evicted"]))
    given = (view["recovered"], view["forwarded"])
    counts = (*given, view["delivered"], view["duplicate"], *lost, view["pending"])
    return (
        view["name"],
        view["type"],
        view["state"],
        *counts,
        view["lag_bytes"],
        brief(view["lag_seconds"]),
        view["last_error"] or "none",
    )
