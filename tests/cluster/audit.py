"""What was asked of the API server, and when by its own clock: its audit log."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

_RESOURCES: Final = ["nodes", "pods", "pods/eviction"]
_VERBS: Final = ["create", "update", "patch", "delete"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was answered: ``at`` in unix seconds, ``what`` as in ``delete pods/x``."""

    at: float
    what: str
    user: str
    code: int


def write_policy(path: Path) -> None:
    """Write which calls are kept: those that change nodes or Pods, without what they say."""
    kept = {"group": "", "resources": _RESOURCES}
    rules = [{"level": "Metadata", "verbs": _VERBS, "resources": [kept]}, {"level": "None"}]
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules}
    path.write_text(json.dumps({**policy, "omitStages": ["RequestReceived"]}))


def calls(log: Path) -> Iterator[Call]:
    """Read the calls, in the order of their answers."""
    for line in log.read_text().splitlines():
        yield _call(json.loads(line))


def removal_seconds(log: Path, node: str, pod: str) -> float:
    """Tell how long after *node* was last cordoned *pod* was gone; it must be gone by now."""
    known = [call for call in calls(log) if call.code < 300]
    changes = [c.at for c in known if (c.what, c.user) == (f"patch nodes/{node}", "admin")]
    deletions = [call.at for call in known if call.what == f"delete pods/{pod}"]
    return deletions[-1] - changes[-1]


def _call(event: dict[str, Any]) -> Call:
    of = event["objectRef"]
    resource = "/".join(filter(None, (of["resource"], of.get("subresource"))))
    return Call(
        at=datetime.fromisoformat(event["stageTimestamp"]).timestamp(),
        what=f"{event['verb']} {resource}/{of.get('name', '')}",
        user=event["user"]["username"],
        code=event["responseStatus"]["code"],
    )
