"""
Decide which fields ig leaves out of its output (``json.skip``). Pure.

Only what is known to exist in a gadget and to serve nobody is left out; the lines get about 40 %
shorter by it. The string ``timestamp`` goes because ``timestamp_raw`` says the same.
"""

from collections.abc import Collection
from typing import Final

from igpipe.config import SessionConfig
from igpipe.gadgets import GADGETS, Kind

_ENRICHMENT: Final = (
    "k8s.owner",
    "k8s.podLabels",
    "runtime.containerImageDigest",
    "runtime.containerPid",
    "runtime.containerStartedAt",
)
_STACKS: Final = {
    "trace_open": ("ustack",),
    "trace_capabilities": ("kstack", "ustack"),
    "audit_seccomp": ("ustack",),
}
_UNTIMED: Final = {"traceloop"}  # events without a time of their own
_ARGS: Final = {"trace_exec": ("args",)}


def skipped(gadget: str, used: Collection[str], session: SessionConfig) -> tuple[str, ...]:
    """
    List the fields to leave out of *gadget*'s output.

    *used* are raw dotted paths; such a field stays, and so does one above or below it. Arguments
    of commands go whoever uses them, unless ``keep_args``.
    """
    trimmed = _useless(gadget) if session.trim else ()
    kept = [field for field in trimmed if not any(_touch(field, path) for path in used)]
    return (*(() if session.keep_args else _ARGS.get(gadget, ())), *kept)


def _useless(gadget: str) -> tuple[str, ...]:
    known = GADGETS.get(gadget)
    if known is None or known.kind is Kind.SLOTS:
        return ()
    timed = known.kind is Kind.EVENTS and gadget not in _UNTIMED
    return (*_ENRICHMENT, *(("timestamp",) if timed else ()), *_STACKS.get(gadget, ()))


def _touch(field: str, path: str) -> bool:
    return f"{path}.".startswith(f"{field}.") or f"{field}.".startswith(f"{path}.")
