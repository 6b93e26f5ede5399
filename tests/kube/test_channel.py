"""Requests: the rate limit, Retry-After, deadlines, broken answers, and what telemetry hears."""

import asyncio
import socket
from pathlib import Path

import pytest

from igpipe.errors import ClusterUnavailable
from igpipe.kube import Cluster
from igpipe.telemetry import Telemetry
from tests.kube.fake import (
    FakeApi,
    connected,
    hang,
    kubeconfig,
    listing,
    opened,
    refuse,
    say,
    stream,
)
from tests.virtual import run

NODES = "/api/v1/nodes"


async def lists(cluster: Cluster, count: int) -> None:
    """List nodes *count* times, side by side."""
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(cluster.list_nodes(), name=f"list {number}")


def test_rate_limit(tmp_path: Path):
    """Calls beyond the burst come at the rate, and the time they waited is counted."""
    api, telemetry = FakeApi(), Telemetry()
    api.on("GET", NODES, say(listing()))

    async def main() -> None:
        async with connected(
            tmp_path, api, telemetry=telemetry, requests_per_second=2.0, request_burst=3
        ) as cluster:
            await lists(cluster, 5)

    run(main())
    start = api.asked[0].at
    assert [round(asked.at - start, 2) for asked in api.asked] == [0, 0, 0, 0.5, 1.0]
    throttled = telemetry.registry.get_sample_value("igpipe_api_throttled_seconds_total")
    assert throttled == pytest.approx(1.5)


def test_retry_after_holds_all_calls(tmp_path: Path):
    """After a 429 nothing is asked before the server wants to be asked."""
    api = FakeApi()
    api.on("GET", NODES, refuse(429, "slow down", **{"Retry-After": "5"}), say(listing()))

    async def main() -> None:
        async with connected(tmp_path, api) as cluster:
            with pytest.raises(ClusterUnavailable) as caught:
                await cluster.list_nodes()
            assert caught.value.retry_after == 5
            await cluster.list_nodes()

    run(main())
    first, second = api.asked
    assert second.at - first.at == pytest.approx(5, abs=0.1)


def test_long_retry_after_does_not_cost_the_lease(tmp_path: Path):
    """The error tells the whole time, but other calls are held for ten seconds at most."""
    api = FakeApi()
    api.on("GET", NODES, refuse(503, "later", **{"Retry-After": "600"}), say(listing()))

    async def main() -> None:
        async with connected(tmp_path, api) as cluster:
            with pytest.raises(ClusterUnavailable) as caught:
                await cluster.list_nodes()
            assert caught.value.retry_after == 600
            await cluster.list_nodes()

    run(main())
    assert api.asked[1].at - api.asked[0].at == pytest.approx(10, abs=0.1)


def test_deadline_of_a_call(tmp_path: Path):
    """A call that is not answered in time is given up."""
    api = FakeApi()
    api.on("GET", NODES, hang)

    async def main() -> float:
        async with connected(tmp_path, api, request_timeout="3s") as cluster:
            loop = asyncio.get_running_loop()
            start = loop.time()
            with pytest.raises(ClusterUnavailable, match="timed out"):
                await cluster.list_nodes()
            return loop.time() - start

    assert run(main()) == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    "broken",
    [stream(b"<html>not for you</html>"), stream(b'{"items":[', cut=True)],
    ids=["no JSON", "cut"],
)
def test_broken_answer(tmp_path: Path, broken: object):
    """An answer that is no JSON, or not whole, is as good as none."""
    api = FakeApi()
    api.on("GET", NODES, broken)  # type: ignore[arg-type]  # it answers nothing

    async def main() -> None:
        async with connected(tmp_path, api) as cluster:
            await cluster.list_nodes()

    with pytest.raises(ClusterUnavailable, match="list nodes"):
        run(main())


def test_nobody_listens(tmp_path: Path):
    """A closed port is unavailable, and is counted with code 0."""
    telemetry = Telemetry()

    async def main() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{taken.getsockname()[1]}"
            file = kubeconfig(tmp_path / "kubeconfig", address, {"token": "t"})
            async with opened(file, telemetry) as cluster:
                await cluster.version()

    with pytest.raises(ClusterUnavailable):
        run(main())
    assert counted(telemetry, "get", "/version", 0) == 1


def test_redirects_are_not_followed(tmp_path: Path):
    """Our token goes to the API server and nowhere else."""
    api = FakeApi()
    api.on("GET", NODES, say({}, 302, Location="/elsewhere"))

    async def main() -> None:
        async with connected(tmp_path, api) as cluster:
            await cluster.list_nodes()

    with pytest.raises(Exception, match="302"):
        run(main())
    assert api.paths() == [NODES]


def test_counts(tmp_path: Path):
    """Every call is counted by verb, resource and status."""
    api, telemetry = FakeApi(), Telemetry()
    api.on("GET", NODES, say(listing()), refuse(500, "oh"))

    async def main() -> None:
        async with connected(tmp_path, api, telemetry=telemetry) as cluster:
            await cluster.list_nodes()
            with pytest.raises(ClusterUnavailable):
                await cluster.list_nodes()

    run(main())
    assert counted(telemetry, "list", "nodes", 200) == 1
    assert counted(telemetry, "list", "nodes", 500) == 1


def counted(telemetry: Telemetry, verb: str, resource: str, code: int) -> float | None:
    """Read the counter of calls."""
    labels = {"verb": verb, "resource": resource, "code": str(code)}
    return telemetry.registry.get_sample_value("igpipe_api_requests_total", labels)
