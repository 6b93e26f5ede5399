"""doctor against the simulated cluster: what it finds where something is wrong."""

from pathlib import Path
from typing import Any

import pytest

from igpipe.cli.doctor import examine
from igpipe.sim import FakeLoki, SimCluster, SimConfig
from tests import virtual
from tests.service.world import config


def found(folder: Path, **sim: Any) -> dict[str, str]:
    """Return the remedies of what is not fine in a cluster of *sim*, by what was found."""

    async def main() -> dict[str, str]:
        async with SimCluster(SimConfig(nodes=3, **sim)) as cluster, FakeLoki() as loki:
            sinks = [{"type": "loki", "name": "loki", "url": loki.url}]
            findings = await examine(config(folder, cluster, sinks=sinks))
            assert not cluster.pods
            return {f.what: f.remedy for f in findings if f.level != "ok"}

    return virtual.run(main())


def test_nothing_is_wrong_with_a_good_cluster(tmp_path: Path) -> None:
    """Rights, the Pod, the nodes and a Loki that is up are all fine."""
    assert found(tmp_path) == {}


@pytest.mark.parametrize(
    ("sim", "words", "remedy"),
    [
        ({"denied": frozenset({"get pods/log"})}, "get pods/log is missing", "Role in igpipe"),
        ({"denied": frozenset({"create pods"})}, "Pod would be refused", "grant the rights"),
        ({"denied": frozenset({"list nodes"})}, "cannot be listed", "grant the rights"),
        ({"restricted": ("igpipe-sessions",)}, "PodSecurity", "enforce=privileged"),
        ({"namespaces": ("default",)}, "not found", "create the namespace"),
        ({"version": "v1.28.9"}, "3 kubelets below 1.29", "upgrade"),
    ],
)
def test_what_is_wrong_comes_with_a_remedy(
    tmp_path: Path, sim: dict[str, Any], words: str, remedy: str
) -> None:
    """Each thing that would keep igpipe from its job is told, and what to do about it."""
    told = next((cure for what, cure in found(tmp_path, **sim).items() if words in what), None)
    assert told is not None
    assert remedy in told
