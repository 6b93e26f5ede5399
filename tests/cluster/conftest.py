"""
Real clusters for the run, and worlds to compare: the real one and the simulated one.

Tests here wait more than they compute. So three processes of pytest-xdist share them, two with a
real cluster each, one with what needs no node: the control plane alone, and the simulation.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cluster import load_varied
from igpipe.sim import SimCluster, SimConfig
from tests.cluster.install import install
from tests.cluster.rig import NAMESPACE, Rig, cluster
from tests.cluster.worlds import RealWorld, SimWorld, World
from tests.sharing import ByNeed

_TEST_SECONDS = 300
_SECOND_CLUSTER = {
    "test_kill", "test_safety", "test_two", "test_debug", "test_look", "test_tapkill",
    "test_tapstore",
}  # fmt: skip
"""What is done on the second cluster; the two take about the same time."""
_WITHOUT_NODES = {"test_tee", "test_command"}
_MEASURED = "measured"
Report = Callable[[str, object], None]


def pytest_configure(config: pytest.Config) -> None:
    """Declare this folder's own marker."""
    config.addinivalue_line("markers", "simulated(**settings): settings of the simulated cluster")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests here the time that a real cluster takes."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_TEST_SECONDS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByNeed:
    """Give each process its tests."""
    return ByNeed(config, log, _need)


def _need(test: str) -> str:
    path, _, name = test.partition("::")
    if "/guard/" in path or Path(path).stem in _WITHOUT_NODES or "[sim" in name:
        return "no node"
    return "second" if Path(path).stem in _SECOND_CLUSTER else "first"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests measured."""
    for reports in terminalreporter.stats.values():
        for done in reports:
            for name, text in getattr(done, "user_properties", ()):
                if name == _MEASURED and done.when == "teardown":
                    terminalreporter.write_line(text)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Give the function that tells, at the end of the run, what a test has measured."""

    def note(what: str, value: object) -> None:
        text = f"measured: {request.node.name}: {what}: {value}"
        request.node.user_properties.append((_MEASURED, text))

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


@pytest.fixture(scope="session")
def varied_image(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give the nodes an ig that plays varied events."""
    if rig.real_ig:
        pytest.skip("needs the stand-in for ig, which plays at a rate")
    load_varied(rig, tmp_path_factory.mktemp("varied"))


@pytest.fixture
def varied(varied_image: None, clean: Rig) -> Rig:
    """Give the cluster with it: equal events would take no room in frames."""
    return clean


@pytest.fixture(params=["real", "sim"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Give the real cluster and, for the same test, the simulated one."""
    if request.param == "real":
        real = await asyncio.to_thread(request.getfixturevalue, "clean")
        yield RealWorld(real)
        return
    marker = request.node.get_closest_marker("simulated")
    settings = SimConfig(nodes=2, rate=20, **(marker.kwargs if marker else {}))
    async with SimCluster(settings) as simulated:
        yield SimWorld(simulated, tmp_path)
