"""Where a Pod or a workload runs, by what a list of Pods says."""

from pathlib import Path

import pytest

from igpipe.cli.looktarget import Target, find, pod_target, workload_target
from igpipe.config import Config
from igpipe.errors import InputError
from igpipe.model import PodState
from igpipe.sim import SimCluster, SimConfig


def pod(
    name: str, node: str = "n1", *, owner: str = "", template: str = "", **more: str
) -> PodState:
    """Make a Pod."""
    labels = {"pod-template-hash": template} if template else {}
    return PodState(name, "u", node, labels=labels, owner=owner, **more)


PODS = [
    pod("cart-6d4cf56db6-x2v4z", owner="cart-6d4cf56db6", template="6d4cf56db6"),
    pod("cart-6d4cf56db6-b7c9d", "n2", owner="cart-6d4cf56db6", template="6d4cf56db6"),
    pod("cart-6d4cf56db6-zzzzz", "", owner="cart-6d4cf56db6", template="6d4cf56db6"),
    pod("ledger-0", "n3", owner="ledger"),
    pod("agent-x2v4z", "n4", owner="agent"),
    pod("nightly-28123456-x2v4z", "n5", owner="nightly-28123456", phase="Succeeded"),
    pod("alone", "n6"),
]


def test_a_pod_is_on_its_node() -> None:
    """Only its own events are shown."""
    assert pod_target(PODS, "shop", "ledger-0") == Target(("n3",), "shop", ("ledger-0",))


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("cart", ("n1", "n2")),
        ("cart-6d4cf56db6", ("n1", "n2")),
        ("ledger", ("n3",)),
        ("agent", ("n4",)),
        ("alone", ("n6",)),
    ],
)
def test_a_workload_is_on_the_nodes_of_its_pods(name: str, nodes: tuple[str, ...]) -> None:
    """Deployment, ReplicaSet, StatefulSet, DaemonSet or a single Pod, by its name."""
    target = workload_target(PODS, "shop", name)
    assert (target.nodes, target.namespace, target.workload) == (nodes, "shop", name)


@pytest.mark.parametrize(
    ("name", "told"),
    [("none", "no Pod of the workload shop/none was found"), ("nightly", "is on a node")],
)
def test_a_workload_that_does_not_run(name: str, told: str) -> None:
    """Is an error that says so."""
    with pytest.raises(InputError, match=told):
        workload_target(PODS, "shop", name)


@pytest.mark.parametrize("name", ["none", "cart-6d4cf56db6-zzzzz"])
def test_a_pod_that_is_nowhere(name: str) -> None:
    """Is an error that names it."""
    with pytest.raises(InputError, match=name):
        pod_target(PODS, "shop", name)


@pytest.mark.parametrize("text", ["cart", "/cart", "shop/", "a/b/c"])
async def test_it_is_written_with_its_namespace(text: str) -> None:
    """Anything else is refused before anybody is asked."""
    with pytest.raises(InputError, match="NAMESPACE/NAME"):
        await find(Config(), pod="", workload=text)


async def test_the_right_to_list_pods_is_the_askers(tmp_path: Path) -> None:
    """Without it the message says whose right is missing."""
    denied = frozenset({"list pods"})
    async with SimCluster(SimConfig(nodes=1, denied=denied)) as cluster:
        kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        config = Config.model_validate({"cluster": {"kubeconfig": kubeconfig}}, strict=False)
        with pytest.raises(InputError, match="right to list Pods in namespace shop must be yours"):
            await find(config, pod="shop/cart", workload="")
