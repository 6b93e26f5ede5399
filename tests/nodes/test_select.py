"""Node selection: every reason, their order, and that nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config import NodesConfig
from igpipe.errors import ConfigError
from igpipe.model import Node, Skip, Taint
from igpipe.nodes import select


def _taint(key: str, effect: str = "NoSchedule") -> tuple[Taint, ...]:
    return (Taint(key, "", effect),)


def _reason(node: Node, config: NodesConfig | None = None) -> Skip | None:
    selection = select({node.name: node}, config or NodesConfig())
    assert [n.name for n in selection.eligible] == ([] if selection.skipped else [node.name])
    return selection.skipped.get(node.name)


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (Node("n"), None),
        (Node("n", labels={"kubernetes.io/os": "linux"}), None),
        (Node("n", labels={"kubernetes.io/os": "windows"}), Skip.SYSTEM),
        (Node("n", labels={"type": "virtual-kubelet"}), Skip.VIRTUAL),
        (Node("n", labels={"eks.amazonaws.com/compute-type": "fargate"}), Skip.VIRTUAL),
        (Node("n", taints=_taint("virtual-kubelet.io/provider")), Skip.VIRTUAL),
        (Node("n", labels={"node-role.kubernetes.io/control-plane": ""}), Skip.CONTROL_PLANE),
        (Node("n", labels={"node-role.kubernetes.io/master": ""}), Skip.CONTROL_PLANE),
        (Node("n", labels={"igpipe.io/exclude": "true"}), Skip.EXCLUDED),
        (Node("n", annotations={"igpipe.io/exclude": "true"}), Skip.EXCLUDED),
        (Node("n", annotations={"igpipe.io/exclude": "false"}), None),
        (Node("n", taints=_taint("ToBeDeletedByClusterAutoscaler")), Skip.LEAVING),
        (Node("n", taints=_taint("DeletionCandidateOfClusterAutoscaler")), Skip.LEAVING),
        (Node("n", taints=_taint("karpenter.sh/disrupted")), Skip.LEAVING),
        (Node("n", ready=False), Skip.NOT_READY),
        (Node("n", taints=_taint("node.kubernetes.io/unreachable", "NoExecute")), Skip.NOT_READY),
        (Node("n", taints=_taint("node.kubernetes.io/not-ready", "NoExecute")), Skip.NOT_READY),
        (Node("n", taints=_taint("node.kubernetes.io/not-ready")), None),
        (Node("n", unschedulable=True), Skip.CORDONED),
        (Node("n", taints=_taint("node.kubernetes.io/unschedulable")), Skip.CORDONED),
        (Node("n", taints=_taint("dedicated")), None),
    ],
)
def test_reasons(node: Node, reason: Skip | None) -> None:
    """Each kind of node is looked at or skipped for its reason."""
    assert _reason(node) is reason


def test_control_plane_on_request() -> None:
    """Control-plane nodes are looked at when asked."""
    node = Node("n", labels={"node-role.kubernetes.io/control-plane": ""})
    assert _reason(node, NodesConfig(control_plane=True)) is None


def test_globs_and_selector() -> None:
    """Names are excluded by glob, labels select."""
    config = NodesConfig(exclude=("gpu-*",), selector="pool in (web,api)")
    web = {"pool": "web"}
    assert _reason(Node("gpu-1", labels=web), config) is Skip.EXCLUDED
    assert _reason(Node("gp-1", labels=web), config) is None
    assert _reason(Node("gp-1"), config) is Skip.SELECTOR


def test_lasting_reasons_come_first() -> None:
    """A cordoned Windows node is skipped for its system, which uncordoning would not change."""
    node = Node("n", labels={"kubernetes.io/os": "windows"}, unschedulable=True, ready=False)
    assert _reason(node) is Skip.SYSTEM


def test_a_wrong_selector_is_told_without_nodes() -> None:
    """The first, empty snapshot already tells a selector that cannot be read."""
    with pytest.raises(ConfigError, match=r"nodes\.selector"):
        select({}, NodesConfig(selector="a=b=c"))


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=3), st.tuples(st.booleans(), st.booleans()), max_size=8
    )
)
def test_every_node_is_in_one_part(flags: dict[str, tuple[bool, bool]]) -> None:
    """Eligible and skipped nodes together are the snapshot, by name."""
    nodes = {n: Node(n, ready=ready, unschedulable=off) for n, (ready, off) in flags.items()}
    selection = select(nodes, NodesConfig())
    names = [node.name for node in selection.eligible]
    assert names == sorted(names)
    assert sorted([*names, *selection.skipped]) == sorted(nodes)
