"""What doctor says of nodes."""

from igpipe.cli.findings import Finding, Level
from igpipe.cli.nodecheck import check_nodes
from igpipe.config import Config, NodesConfig
from tests.cli.fakes import make_node

CONFIG = Config()


def bad(found: list[Finding]) -> list[Finding]:
    """Leave out what is fine."""
    return [finding for finding in found if finding.level is not Level.OK]


def test_skipped_nodes_are_told_by_reason() -> None:
    """A choice is fine, a fault is a warning."""
    nodes = [
        make_node("a"),
        make_node("b", ready=False),
        make_node("c", labels={"kubernetes.io/os": "windows"}),
    ]
    eligible, found = check_nodes(nodes, CONFIG)
    assert [node.name for node in eligible] == ["a"]
    levels = {finding.what: finding.level for finding in found}
    assert levels["1 of 3 nodes are selected"] is Level.OK
    assert levels["1 skipped, not ready: b"] is Level.WARNING
    assert levels["1 skipped, system: c"] is Level.OK


def test_a_period_that_cannot_be_kept_is_warned_of() -> None:
    """Too few slots for the nodes: said before the first day of blind spots."""
    found = bad(check_nodes([make_node(f"n{i}") for i in range(1000)], CONFIG)[1])
    (finding,) = found
    assert finding.what == "the period cannot be kept: 35 slots needed, 10 allowed"


def test_no_node_is_a_failure() -> None:
    """A selector that fits nothing would be silence."""
    config = CONFIG.model_copy(update={"nodes": NodesConfig(selector="pool=none")})
    assert check_nodes([make_node("a")], config)[1][0].level is Level.FAILURE


def test_old_kubelets_and_kernels_are_warned_of() -> None:
    """Each kind in one line with the nodes' names."""
    nodes = [make_node("a", kubelet_version="v1.28.9"), make_node("b", kernel_version="5.4.0-1")]
    found = bad(check_nodes(nodes, CONFIG)[1])
    assert [finding.level for finding in found] == [Level.WARNING] * 2
    assert found[0].what.endswith("rotated: a")
    assert found[1].what.endswith("may not load: b")
