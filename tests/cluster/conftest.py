"""One real cluster for the whole run, and worlds to compare: the real one and the simulated one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from igpipe.sim import SimCluster, SimConfig
from tests.cluster.install import install
from tests.cluster.rig import NAMESPACE, Rig, cluster
from tests.cluster.worlds import RealWorld, SimWorld, World

_TEST_SECONDS = 300
Report = Callable[[str, object], None]
_REPORTS = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests here the time that a real cluster takes."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_TEST_SECONDS))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Tell what tests measured."""
    for line in config.stash.get(_REPORTS, []):
        terminalreporter.write_line(line)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Give the function that tells, at the end of the run, what a test has measured."""
    told = request.config.stash.setdefault(_REPORTS, [])

    def note(what: str, value: object) -> None:
        told.append(f"measured: {request.node.name}: {what}: {value}")

    return note


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """Run the cluster; installing it takes minutes the first time."""
    install()
    with cluster() as running:
        yield running


@pytest.fixture
def clean(rig: Rig) -> Iterator[Rig]:
    """Give the cluster with no Pod and no Lease in the sessions' namespace, and leave it so."""
    yield rig
    rig.kubectl("delete", "pods,leases", "--all", "-n", NAMESPACE, "--grace-period=1", "--wait")


@pytest.fixture(params=["real", "sim"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Give the real cluster and, for the same test, the simulated one."""
    if request.param == "real":
        real = await asyncio.to_thread(request.getfixturevalue, "clean")
        yield RealWorld(real)
        return
    async with SimCluster(SimConfig(nodes=2, rate=20)) as simulated:
        yield SimWorld(simulated, tmp_path)
