"""Watches: whole sets, and recovery from everything that can go wrong, in virtual time."""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from igpipe.kube import Cluster
from igpipe.model import Node, PodState
from igpipe.telemetry import Telemetry
from tests.kube.fake import FakeApi, change, connected, hang, listing, refuse, say, stream, thing
from tests.virtual import run

PODS = "/api/v1/namespaces/ns/pods"
GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}


class Served:
    """A cluster whose list and watch answers are told apart by the query."""

    def __init__(self, lists: list[Any], watches: list[Any], path: str = PODS) -> None:
        self.api = FakeApi()
        self.telemetry = Telemetry()
        self.api.on("GET", path, self._answer)
        self._lists = lists
        self._watches = watches

    async def _answer(self, request: Any) -> Any:
        answers = self._watches if "watch" in request.query else self._lists
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return await answer(request)

    def watches(self) -> list[dict[str, str]]:
        return [asked.query for asked in self.api.asked if "watch" in asked.query]

    def restarts(self, reason: str) -> float:
        labels = {"resource": "pods", "reason": reason}
        value = self.telemetry.registry.get_sample_value("igpipe_api_watch_restarts_total", labels)
        return value or 0.0


def snapshots(
    served: Served, path: Path, count: int, **config: Any
) -> list[Mapping[str, PodState]]:
    """Take *count* snapshots of Pods."""

    async def main() -> list[Mapping[str, PodState]]:
        async with connected(path, served.api, telemetry=served.telemetry, **config) as cluster:
            return await take(cluster, count)

    return run(main())


async def take(cluster: Cluster, count: int) -> list[Mapping[str, PodState]]:
    """Take *count* snapshots."""
    watch = cluster.watch_pods("app=x")
    return [await anext(watch) for _ in range(count)]


def phases(snapshot: Mapping[str, PodState]) -> dict[str, str]:
    """Return each Pod's phase."""
    return {name: pod.phase for name, pod in snapshot.items()}


def test_whole_set_after_every_change(tmp_path: Path):
    """Each snapshot holds all objects, the list's and what came since."""
    served = Served(
        [say(listing(thing("a", 1)))],
        [
            stream(
                change("ADDED", "b", 11),
                change("MODIFIED", "a", 12, phase="Running"),
                hold=True,
            )
        ],
    )
    first, *rest = snapshots(served, tmp_path, 2)
    assert phases(first) == {"a": "Pending"}
    assert phases(rest[-1])["b"] == "Pending"


def test_pages(tmp_path: Path):
    """A list that comes in pages is read to its end before it is shown."""
    served = Served(
        [say(listing(thing("a", 1), rest="more")), say(listing(thing("b", 2)))],
        [stream(hold=True)],
    )
    (only,) = snapshots(served, tmp_path, 1)
    assert only.keys() == {"a", "b"}
    first, second = (asked.query for asked in served.api.asked)
    assert first.keys() == {"labelSelector", "limit"}
    assert (second["continue"], second["labelSelector"]) == ("more", "app=x")


def test_deleted_and_unchanged(tmp_path: Path):
    """A deletion is a change; what changed nothing that we read, and bookmarks, are none."""
    served = Served(
        [say(listing(thing("a", 1), thing("b", 2)))],
        [
            stream(
                change("MODIFIED", "a", 11),
                change("BOOKMARK", "", 12),
                change("DELETED", "a", 13),
                hold=True,
            )
        ],
    )
    _, second = snapshots(served, tmp_path, 2)
    assert second.keys() == {"b"}


def test_snapshot_is_not_changed_later(tmp_path: Path):
    """A snapshot stays what it was."""
    served = Served([say(listing(thing("a", 1)))], [stream(change("DELETED", "a", 11), hold=True)])
    first, second = snapshots(served, tmp_path, 2)
    assert (list(first), list(second)) == (["a"], [])


def test_lines_in_pieces(tmp_path: Path):
    """A line may come in any pieces."""
    served = Served(
        [say(listing())],
        [
            stream(
                b'{"type":"ADDED","object":{"metadata":{"na',
                b'me":"a","resourceVersion":"11"}}}\n{"type":',
                b'"BOOKMARK"}\n',
                hold=True,
            )
        ],
    )
    assert snapshots(served, tmp_path, 2)[-1].keys() == {"a"}


def test_resume_after_normal_end(tmp_path: Path):
    """A watch that ended goes on at the last version, bookmarks included, without a list."""
    served = Served(
        [say(listing(version=10))],
        [
            stream(change("ADDED", "a", 11), change("BOOKMARK", "", 15)),
            stream(change("ADDED", "b", 16), hold=True),
        ],
    )
    assert snapshots(served, tmp_path, 3)[-1].keys() == {"a", "b"}
    assert [query["resourceVersion"] for query in served.watches()] == ["10", "15"]
    assert len(served.api.asked) == 3
    assert served.restarts("ended") == 1


def test_what_a_watch_asks_for(tmp_path: Path):
    """Bookmarks are asked for, and an end before we would call the watch silent."""
    served = Served([say(listing())], [stream(change("ADDED", "a", 11), hold=True)])
    snapshots(served, tmp_path, 2, watch_silence="100s")
    assert served.watches() == [
        {
            "labelSelector": "app=x",
            "watch": "true",
            "resourceVersion": "10",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": "90",
        }
    ]


@pytest.mark.parametrize(
    "gone", [stream(GONE), refuse(410, "too old")], ids=["in the stream", "at once"]
)
def test_gone_lists_again(tmp_path: Path, gone: Any):
    """A version that is too old leads to a new list, and what left meanwhile is gone."""
    served = Served(
        [say(listing(thing("a", 1), version=10)), say(listing(thing("b", 2), version=20))],
        [gone, stream(hold=True)],
    )
    _, second = snapshots(served, tmp_path, 2)
    assert second.keys() == {"b"}
    assert served.restarts("gone") == 1


def test_change_before_an_error_is_shown(tmp_path: Path):
    """What came in one chunk before an error is not forgotten."""
    chunk = b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\nnot json\n'
    served = Served([say(listing())], [stream(chunk, hold=True), stream(hold=True)])
    assert snapshots(served, tmp_path, 2)[-1].keys() == {"a"}
    assert served.restarts("error") == 1


def test_change_before_an_error_is_shown_at_once(tmp_path: Path):
    """The pause after an error comes after what is known already."""
    denied = {"type": "ERROR", "object": {"code": 403, "message": "no"}}
    lines = "".join(json.dumps(line) + "\n" for line in (change("ADDED", "a", 11), denied))
    served = Served([say(listing())], [stream(lines.encode(), hold=True)])

    async def main() -> float:
        async with connected(tmp_path, served.api) as cluster:
            assert (await take(cluster, 2))[-1].keys() == {"a"}
            return asyncio.get_running_loop().time() - served.api.asked[0].at

    assert run(main()) < 1


def test_silence(tmp_path: Path):
    """A watch that says nothing for too long is opened again, where it was."""
    served = Served(
        [say(listing())],
        [stream(hold=True), stream(change("ADDED", "a", 11), hold=True)],
    )
    assert snapshots(served, tmp_path, 2, watch_silence="60s")[-1].keys() == {"a"}
    opened = [asked.at for asked in served.api.asked if "watch" in asked.query]
    assert opened[1] - opened[0] == pytest.approx(60, abs=1)
    assert served.restarts("silent") == 1


def test_no_five_minutes(tmp_path: Path):
    """No timeout of the library's own ends a watch."""
    served = Served(
        [say(listing())],
        [stream(hold=True), stream(change("ADDED", "a", 11), hold=True)],
    )
    snapshots(served, tmp_path, 2, watch_silence="1h")
    opened = [asked.at for asked in served.api.asked if "watch" in asked.query]
    assert opened[1] - opened[0] == pytest.approx(3600, abs=1)


def test_connection_cut(tmp_path: Path):
    """A broken connection is opened again at the last version."""
    served = Served(
        [say(listing())],
        [
            stream(change("ADDED", "a", 11), cut=True),
            stream(change("ADDED", "b", 12), hold=True),
        ],
    )
    assert snapshots(served, tmp_path, 3)[-1].keys() == {"a", "b"}
    assert [query["resourceVersion"] for query in served.watches()] == ["10", "11"]
    assert served.restarts("error") == 1


def test_server_that_hangs_up(tmp_path: Path):
    """A server that ends every watch at once is asked at a growing distance."""
    empty = [stream() for _ in range(6)]
    served = Served([say(listing())], [*empty, stream(change("ADDED", "a", 11), hold=True)])
    snapshots(served, tmp_path, 5)  # the fourth to sixth time it lists, too
    opened = [asked.at for asked in served.api.asked if "watch" in asked.query]
    assert opened[6] - opened[5] > 4
    assert served.restarts("ended") == 6


def test_version_that_never_works(tmp_path: Path):
    """A watch that fails again and again starts from a new list."""
    served = Served(
        [say(listing(thing("a", 1), version=900)), say(listing(thing("b", 2), version=5))],
        [*[refuse(500, "too large resource version") for _ in range(4)], stream(hold=True)],
    )
    assert snapshots(served, tmp_path, 2)[-1].keys() == {"b"}


def test_head_that_never_comes(tmp_path: Path):
    """A server that takes a watch and does not answer is not waited for."""
    served = Served([say(listing())], [hang, stream(change("ADDED", "a", 11), hold=True)])
    assert snapshots(served, tmp_path, 2, request_timeout="5s")[-1].keys() == {"a"}
    assert served.restarts("error") == 1


def test_line_limit(tmp_path: Path):
    """A line without end is refused, counted, and costs the connection only."""
    endless = [b"x" * 2**20 for _ in range(17)]
    served = Served(
        [say(listing())],
        [stream(*endless, hold=True), stream(change("ADDED", "a", 11), hold=True)],
    )
    assert snapshots(served, tmp_path, 2)[-1].keys() == {"a"}
    assert served.restarts("error") == 1


def test_trouble_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Missing rights are told to the hook each time and to the log once, and their return, too."""
    told: list[tuple[str, str]] = []
    served = Served(
        [refuse(403, "no"), refuse(403, "no"), say(listing())],
        [stream(change("ADDED", "a", 11), hold=True)],
    )
    caplog.set_level(logging.INFO)

    async def main() -> float:
        def trouble(condition: str, reason: str) -> None:
            told.append((condition, reason))

        async with connected(tmp_path, served.api, trouble=trouble) as cluster:
            await take(cluster, 2)
        return served.api.asked[1].at - served.api.asked[0].at

    assert run(main()) >= 30
    assert told == [("watch pods", "403: no")] * 2 + [("watch pods", "")]
    ours = [r.getMessage() for r in caplog.records if r.name == "igpipe.kube.watch"]
    assert ours == ["watch fails", "watch works again"]


def test_nodes(tmp_path: Path):
    """Nodes are watched in the whole cluster."""
    served = Served([say(listing(thing("n", 1)))], [stream(hold=True)], "/api/v1/nodes")

    async def main() -> Mapping[str, Node]:
        async with connected(tmp_path, served.api) as cluster:
            return await anext(cluster.watch_nodes())

    assert run(main()).keys() == {"n"}
