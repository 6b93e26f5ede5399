"""Entries as sessions write them."""

from typing import Any

GADGET = {"outcome": "completed", "reason": "", "events": 7, "lost_samples": 0, "gaps": 0}


def began(identity: str = "s1", **changes: Any) -> dict[str, Any]:
    """Return a beginning."""
    return {
        "entry": "began", "at": 1000.5, "id": identity, "instance": "default", "who": "host_1",
        "lease": "igpipe-default", "node": "n1", "pod": "igpipe-1",
        "why": {"kind": "rotation", "seed": 1}, **changes,
    }  # fmt: skip


def ended(identity: str = "s1", **changes: Any) -> dict[str, Any]:
    """Return the end of a session that went well."""
    return {
        **began(identity),
        "entry": "ended", "at": 1020.5, "pod_uid": "u1", "outcome": "completed", "reason": "",
        "message": "", "times": {"requested": 1000.5, "ended": 1020.5},
        "removal": {"deleted_at": 1019.0, "gone_at": 1020.0, "left": False},
        "gadgets": {"trace_exec": dict(GADGET), "trace_dns": dict(GADGET)}, **changes,
    }  # fmt: skip


def removed(identity: str = "s1", *, gone: bool = False) -> dict[str, Any]:
    """Return what the reaper did."""
    return {**began(identity), "entry": "gone" if gone else "removed", "at": 1100.0}
