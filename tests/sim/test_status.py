"""A Pod's status, held against what a real API server and kubelet said."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sim.rig import PODS, Rig, ig_pod, run

RECORDED = sorted((Path(__file__).parents[1] / "data" / "kube").glob("*.watch.jsonl"))
Step = tuple[str, tuple[str, ...]]


def states(item: dict[str, Any]) -> Step:
    """Shorten a Pod to its phase and its containers' states."""
    found = item["status"].get("containerStatuses", [])
    return item["status"]["phase"], tuple(sorted({next(iter(c["state"])) for c in found}))


def steps(items: list[dict[str, Any]]) -> list[Step]:
    """Shorten a Pod's life to the states it went through."""
    found = [states(item) for item in items]
    return [step for n, step in enumerate(found) if n == 0 or step != found[n - 1]]


def recorded(path: Path) -> list[dict[str, Any]]:
    """Read the objects of a recorded watch."""
    return [json.loads(line)["object"] for line in path.read_text().splitlines()]


def simulated(gadgets: int) -> list[dict[str, Any]]:
    """Watch a simulated Pod from its creation to its end."""
    names = ("trace_open", "trace_exec", "trace_signal", "trace_dns", "top_process", "top_file")
    items: list[dict[str, Any]] = []

    async def test(rig: Rig) -> None:
        await rig.create(ig_pod(*names[:gadgets]))
        url = rig.cluster.url + PODS
        async with rig.http.get(url, params={"watch": "1", "timeoutSeconds": "20"}) as answer:
            items.extend([json.loads(line)["object"] async for line in answer.content])

    run(test)
    return items


def final(items: list[dict[str, Any]], state: str) -> dict[str, Any]:
    """Return the first container status in *state*."""
    for item in items:
        for status in item["status"].get("containerStatuses", []):
            if state in status["state"]:
                return dict(status)
    raise AssertionError(state)


@pytest.fixture(scope="module")
def life() -> list[dict[str, Any]]:
    """A simulated Pod's life."""
    return simulated(4)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_same_states_in_the_same_order(path: Path, life: list[dict[str, Any]]) -> None:
    """A simulated Pod goes through the states that a real one went through."""
    ours = [step for step in steps(life) if step != ("Pending", ())]
    assert ours == steps(recorded(path))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
@pytest.mark.parametrize("state", ["waiting", "running", "terminated"])
def test_same_keys_of_containers(path: Path, state: str, life: list[dict[str, Any]]) -> None:
    """A container's status has the keys that a real kubelet gives it, in each state."""
    ours, real = final(life, state), final(recorded(path), state)
    assert ours.keys() == real.keys()
    assert ours["state"][state].keys() == real["state"][state].keys()
    assert ours["ready"] == real["ready"]
    assert ours["started"] == real["started"]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_same_keys_of_pods(path: Path, life: list[dict[str, Any]]) -> None:
    """Metadata, spec and status have at least the keys of a real Pod."""
    ours, real = life[-1], recorded(path)[-1]
    assert ours["status"].keys() == real["status"].keys()
    assert real["metadata"].keys() <= ours["metadata"].keys() | {"annotations"}
    assert real["spec"].keys() - ours["spec"].keys() <= {
        "activeDeadlineSeconds",
        "automountServiceAccountToken",
        "hostNetwork",
        "tolerations",
        "volumes",
    }


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_same_conditions_at_the_end(path: Path, life: list[dict[str, Any]]) -> None:
    """The conditions of a Pod that succeeded are those of a real one."""

    def shape(item: dict[str, Any]) -> list[Any]:
        return [(c["type"], c["status"], c.get("reason")) for c in item["status"]["conditions"]]

    assert shape(life[-1]) == shape(recorded(path)[-1])
