"""Read the ledger back: each session's story from its entries, newest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from igpipe.ledger.store import files_in

Entry = dict[str, Any]


@dataclass(slots=True)
class Story:
    """All entries about one session, oldest first; at least one."""

    id: str
    entries: list[Entry] = field(default_factory=list)

    def last(self, kind: str) -> Entry | None:
        """Return the last entry of a kind."""
        return next((e for e in reversed(self.entries) if e["entry"] == kind), None)

    def whole(self) -> Entry:
        """
        Return what is known in the shape of an end.

        A session that never ended is one of a process that was killed, or of one that runs.
        """
        return self.last("ended") or self.last("began") or self.entries[-1]

    @property
    def outcome(self) -> str:
        """How it ended; the state it is in, or ``unfinished`` if nobody wrote that."""
        whole = self.whole()
        return str(whole.get("outcome") or whole.get("state") or "unfinished")

    @property
    def pod(self) -> str:
        """What is known of its Pod: gone, removed, left, none; ``unknown`` if nobody wrote it."""
        if self.last("gone") is not None:
            return "gone"
        if self.last("removed") is not None:
            return "removed"
        return _fate(self.last("ended"))


def read_stories(directory: Path, limit: int, prefix: str = "") -> list[Story]:
    """
    Read the last *limit* sessions whose id begins with *prefix*, newest first. Raises OSError.

    What is no entry is passed over: a torn line, or one that another program wrote.
    """
    found: dict[str, Story] = {}
    for path in files_in(directory):
        here: dict[str, Story] = {}
        for entry in _entries(path, prefix):
            here.setdefault(entry["id"], Story(entry["id"])).entries.append(entry)
        for identity in reversed(here):
            found.setdefault(identity, Story(identity)).entries[:0] = here[identity].entries
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def told_stories(sessions: Iterable[Entry], limit: int, prefix: str = "") -> list[Story]:
    """Make stories of sessions as the API of a running igpipe tells them, newest first."""
    stories = [
        Story(
            session["id"],
            [{"entry": "ended" if session.get("outcome") else "began", "at": None, **session}],
        )
        for session in sessions
        if session["id"].startswith(prefix)
    ]
    return stories[:limit]


def _entries(path: Path, prefix: str) -> Iterator[Entry]:
    wanted = prefix.encode()
    with path.open("rb") as file:
        for line in file:
            if wanted not in line:
                continue
            try:
                entry = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if _is_entry(entry) and entry["id"].startswith(prefix):
                yield entry


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in _NEEDED)


def _fate(ended: Entry | None) -> str:
    removal = ended.get("removal") if ended else None
    if not isinstance(removal, dict) or ended is None:
        return "unknown"
    if removal.get("left"):
        return "left"
    return "gone" if removal.get("gone_at") else "none"


_NEEDED: Final = ("entry", "id", "node")
