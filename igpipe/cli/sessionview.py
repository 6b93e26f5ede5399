"""Sessions as text for a terminal, every string escaped. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from igpipe.ledger import Story
from igpipe.text import safe

_HEADS: Final = ("BEGAN", "ID", "NODE", "OUTCOME", "REASON", "SECONDS", "EVENTS", "LOST", "POD")
_RIGHT: Final = {"SECONDS", "EVENTS", "LOST"}
_PLAIN: Final = (
    "instance", "who", "node", "node_uid", "boot_id", "zone", "kubelet_version", "kernel_version",
    "pod", "pod_uid", "image", "profile", "outcome", "reason", "message", "rollout",
)  # fmt: skip
_COUNTS: Final = ("events", "lines", "bytes", "lost_samples", "gaps", "rejected_rows")


def listing(stories: Sequence[Story]) -> str:
    """Write sessions, a line each."""
    if not stories:
        return "no sessions\n"
    rows = [_HEADS, *(_row(story) for story in stories)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(_line(row, widths) for row in rows)


def shown(story: Story) -> str:
    """Write all that is known of one session."""
    return "".join(f"{name:<16} {value}".rstrip() + "\n" for name, value in _facts(story))


def _row(story: Story) -> tuple[str, ...]:
    entry = story.whole()
    gadgets = [gadget for gadget in _dict(entry, "gadgets").values() if isinstance(gadget, dict)]
    return (
        _time(_began(story)),
        _text(story.id, 40),
        _text(entry.get("node"), 48),
        _text(story.outcome, 12),
        _text(entry.get("reason") or "-", 24),
        _seconds(story),
        str(sum(_number(gadget, "events") for gadget in gadgets)),
        str(sum(_number(gadget, "lost_samples") for gadget in gadgets)),
        story.pod,
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if head in _RIGHT else cell.ljust(width)
        for head, cell, width in zip(_HEADS, row, widths, strict=True)
    )
    return "  ".join(cells).rstrip() + "\n"


def _facts(story: Story) -> Iterator[tuple[str, str]]:
    entry = story.whole()
    yield "session", _text(story.id)
    for name in _PLAIN:
        if entry.get(name):
            yield name, _text(entry[name])
    yield "why", _pairs(_dict(entry, "why"))
    for state, at in _dict(entry, "times").items():
        yield _text(state, 15), _time(at)
    for name, gadget in _dict(entry, "gadgets").items():
        if isinstance(gadget, dict):
            yield from _gadget(name, gadget)
    yield from _removal(story, entry)


def _removal(story: Story, entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "", ""
    yield "its Pod", story.pod
    removal = _dict(entry, "removal")
    for name in ("deleted_at", "gone_at"):
        if removal.get(name):
            yield f"  {name}", _time(removal[name])
    for other in story.entries:
        if other["entry"] in ("removed", "gone"):
            yield f"  {other['entry']} at", f"{_time(other['at'])} by {_text(other.get('who'))}"


def _gadget(name: str, gadget: dict[str, Any]) -> Iterator[tuple[str, str]]:
    ending = " ".join(_text(gadget[key]) for key in ("outcome", "reason") if gadget.get(key))
    yield "", ""
    yield _text(name, 16), ending or "not ended"
    counts: dict[str, Any] = {key: gadget[key] for key in _COUNTS if key in gadget}
    if counts:
        yield "  counts", _pairs(counts)
    for key in ("rejected", "dropped"):
        if _dict(gadget, key):
            yield f"  {key}", _pairs(_dict(gadget, key))
    if gadget.get("exposure_seconds") is not None:
        yield "  exposure", f"{_text(gadget['exposure_seconds'])} s"
    for key in ("message", "error", "image_id"):
        if gadget.get(key):
            yield f"  {key}", _text(gadget[key], 400)
    if isinstance(gadget.get("arguments"), list):
        yield "  arguments", _text(" ".join(map(str, gadget["arguments"])), 2000)


def _began(story: Story) -> object:
    entry = story.whole()
    return _dict(entry, "times").get("requested") or story.entries[0].get("at")


def _seconds(story: Story) -> str:
    times = _dict(story.whole(), "times")
    ended, began = times.get("ended"), times.get("requested")
    if isinstance(ended, int | float) and isinstance(began, int | float):
        return f"{ended - began:.0f}"
    return "-"


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(f"{_text(key)}={_text(value)}" for key, value in values.items())


def _number(entry: dict[str, Any], key: str) -> int:
    value = entry.get(key)
    return value if isinstance(value, int) else 0


def _dict(entry: dict[str, Any], key: str) -> dict[str, Any]:
    value = entry.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: object, limit: int = 200) -> str:
    return safe(str(value), limit)


def _time(at: object) -> str:
    try:
        moment = datetime.fromtimestamp(float(at), UTC)  # type: ignore[arg-type]  # it is tried
    except (TypeError, ValueError, OverflowError, OSError):
        return "-"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
