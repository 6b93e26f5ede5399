"""The same seed, the same cluster."""

from typing import Any

from igpipe.sim import SOME, Faults
from igpipe.sim.faults import FaultPlan
from tests.sim.rig import Rig, ig_pod, run, succeeded

GADGETS = ("trace_exec", "trace_dns", "top_file")


def story(**config: Any) -> tuple[list[bytes], list[Any], list[Any]]:
    """Run a few Pods and tell the logs, the truth and the faults."""
    logs: list[bytes] = []
    found: list[Any] = []

    async def test(rig: Rig) -> None:
        for number in range(2):
            await rig.create(ig_pod(*GADGETS, name=f"p{number}", node=f"node-00{number}"))
            await rig.until(succeeded, f"p{number}")
            for gadget in GADGETS:
                logs.append((await rig.read(gadget.replace("_", "-"), f"p{number}"))[1])
        found.append(sorted(rig.cluster.truth.printed().items()))
        found.append([(fault.kind, fault.node, fault.detail) for fault in rig.cluster.injected])

    run(test, **config)
    return logs, found[0], found[1]


def test_same_seed_same_bytes() -> None:
    """Two clusters of one seed print the same bytes and suffer the same faults."""
    faults = Faults(lost_samples=0.5, malformed=0.05)
    assert story(seed=7, faults=faults) == story(seed=7, faults=faults)


def test_other_seed_other_events() -> None:
    """Another seed gives other Pods and other times."""
    assert story(seed=7)[1] != story(seed=8)[1]


def test_draws_do_not_depend_on_order() -> None:
    """What befalls the n-th Pod of a node does not depend on other nodes."""
    one, two = FaultPlan(SOME, 1), FaultPlan(SOME, 1)
    first = [one.pod(node) for node in ("a", "b", "a", "b")]
    second = [two.pod(node) for node in ("a", "a", "b", "b")]
    assert [first[0], first[2], first[1], first[3]] == second


def test_shares_are_kept() -> None:
    """Faults befall about the share they should."""
    plan = FaultPlan(Faults(image_pull=0.2, rejected=0.1), 1)
    kinds = [plan.pod(f"n{number}").kind for number in range(2000)]
    assert 350 < kinds.count("image_pull") < 450
    assert 150 < kinds.count("rejected") < 250
    assert set(kinds) == {"image_pull", "rejected", ""}
