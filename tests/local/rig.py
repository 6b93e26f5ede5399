"""A folder with a stand-in for ig, and igpipe that runs it."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from igpipe.config import Config
from igpipe.local_service import running_locally
from igpipe.status import Parts

PATIENCE_SECONDS = 60


class Rig:
    """*told* says by gadget what the stand-in does; see ``fakeig``."""

    def __init__(self, folder: Path, **told: dict[str, Any]) -> None:
        self.folder = folder
        self.environ = {"PATH": f"{folder}:{os.environ['PATH']}"}
        source = Path(__file__).with_name("fakeig.py").read_text()
        (folder / "ig").write_text(f"#!{sys.executable} -ISs\n{source}")
        (folder / "ig").chmod(0o755)
        self.tell(**told)

    def tell(self, **told: dict[str, Any]) -> None:
        """Say what runs that begin from now on do."""
        (self.folder / "ig.json").write_text(json.dumps(told))

    def notes(self, event: str) -> list[dict[str, Any]]:
        """Read what the stand-in did."""
        path = self.folder / "ig.log"
        notes = [json.loads(line) for line in path.read_text().splitlines()]
        return [note for note in notes if note["event"] == event]

    @asynccontextmanager
    async def running(self, **sections: Any) -> AsyncIterator[Parts]:
        """Run igpipe on this host."""
        async with running_locally(config(**sections), environ=self.environ) as (_, parts):
            yield parts


def config(**sections: Any) -> Config:
    """Runs of a second; *sections* replace or extend the tree."""
    tree: dict[str, Any] = {
        "session": {"duration": 1, "start_allowance": 20, "drain": 5},
        "rotation": {"failure_backoff": 0.5},
        "gadgets": ["trace_exec", {"name": "snapshot_process", "interval": 1}],
        "metrics": {"zero_hold": 0},
        "web": {"port": 0},
    }
    for name, section in sections.items():
        tree[name] = {**tree.get(name, {}), **section} if isinstance(section, dict) else section
    return Config.model_validate_json(orjson.dumps(tree))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for another process to have done something."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - no event crosses processes
            await asyncio.sleep(0.01)


def outcomes(parts: Parts, gadget: str) -> Counter[tuple[str, str]]:
    """Count how *gadget* ended in ended sessions."""
    endings = (session.gadgets[gadget].ending for session in parts.rotation.history)
    return Counter((e.outcome.value, e.reason.value) for e in endings if e is not None)


def alive(pid: int) -> bool:
    """Tell whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
