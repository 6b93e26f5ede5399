"""Two igpipes of one instance, by mistake or in a rollout: one acts, the other waits."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.cluster.conftest import Report
from tests.cluster.control import free_ports
from tests.cluster.process import Igpipe
from tests.cluster.rig import NODES, Rig, until
from tests.cluster.scenes import pods, service

LEASE_SECONDS = 6


@dataclass
class Peer:
    """One of several igpipes of the same instance."""

    process: Igpipe
    url: str
    known: dict[str, Any] = field(default_factory=dict)
    """Its sessions by id, as last seen."""

    def sessions(self, outcome: str | None = "completed") -> list[Any]:
        """List sessions of an outcome; None: those that live."""
        self.process.check()
        self.known |= {one["id"]: one for one in json.loads(self._read("/api/v1/sessions"))}
        return [one for one in self.known.values() if one["outcome"] == outcome]

    def waits(self) -> bool:
        """Tell whether it is not ready because another one holds the instance."""
        self.process.check()
        return "lease: held by" in self._read("/readyz")

    def balanced(self) -> bool:
        """Tell whether its accounts balance."""
        return bool(json.loads(self._read("/api/v1/status"))["accounts"]["balanced"])

    def _read(self, path: str) -> str:
        """Ask it; RuntimeError while it does not answer."""
        try:
            with urlopen(self.url + path, timeout=5) as answer:
                return str(answer.read(), "utf-8")
        except HTTPError as error:
            return str(error.read(), "utf-8")
        except OSError as error:
            raise RuntimeError(error) from None


@contextmanager
def peer(rig: Rig, log: Path) -> Iterator[Peer]:
    """Run one during the block, unless it ends before."""
    (port,) = free_ports(1)
    made = service(
        rig,
        cluster={"lease_duration": LEASE_SECONDS},
        session={"duration": 4},
        gadgets=["trace_open"],
        web={"port": port},
    )
    with Igpipe(made, log) as process:
        yield Peer(process, f"http://127.0.0.1:{port}")


def test_one_acts_and_the_other_takes_over(clean: Rig, tmp_path: Path, report: Report) -> None:
    """
    The second waits until the first is stopped, and a third until the second is killed.

    No node is ever looked at by two of them, and nothing stays.
    """
    with ExitStack() as stack:
        first = stack.enter_context(peer(clean, tmp_path / "first.log"))
        until(first.sessions, "a session of the first")
        second = stack.enter_context(peer(clean, tmp_path / "second.log"))
        report("seconds from SIGTERM to the next one's session", stopped(first, second))
        third = stack.enter_context(peer(clean, tmp_path / "third.log"))
        until(third.waits, "the third to wait")
        report("seconds from SIGKILL to the next one's session", killed(clean, second, third))
        assert third.balanced()
        assert third.process.stop() == 0
    assert pods(clean) == []
    _check_turns([first, second, third])


def stopped(first: Peer, second: Peer) -> float:
    """Let both run for a while, and stop the first; return how long nobody acted then."""
    until(second.waits, "the second to wait")
    done = len(first.sessions())
    until(lambda: len(first.sessions()) > done, "a further session of the first")
    assert second.sessions() == second.sessions(None) == []
    assert first.balanced()
    began = time.monotonic()
    assert first.process.stop() == 0
    until(lambda: second.sessions(None), "a session of the second")
    return round(time.monotonic() - began, 1)


def killed(rig: Rig, second: Peer, third: Peer) -> float:
    """Kill the second in a session; return how long nobody acted then."""
    until(second.sessions, "a whole session of the second")
    until(lambda: second.sessions(None), "another one")
    second.process.kill()
    began = time.monotonic()
    left = [pod["metadata"] for pod in rig.pods()]
    until(lambda: third.sessions(None), "a session of the third")
    nobody = round(time.monotonic() - began, 1)
    until(third.sessions, "a whole session of the third")
    said = third.process.log.read_text()
    assert all(pod["name"] in said for pod in left if "deletionTimestamp" not in pod)
    return nobody


def _check_turns(peers: list[Peer]) -> None:
    """No two sessions on a node overlap; one that was cut off by a kill has no end."""
    known = [one for each in peers for one in each.known.values()]
    for node in NODES:
        stays = sorted(
            (one["times"]["requested"], one["times"].get("ended", 0.0))
            for one in known
            if one["node"] == node
        )
        assert len(stays) > 1
        assert all(ended <= begun for (_, ended), (begun, _) in pairwise(stays))
