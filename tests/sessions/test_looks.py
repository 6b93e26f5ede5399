"""Looks on demand: ahead of the rotation, within all bounds, and gone when they should be."""

import asyncio
from typing import Any

import orjson
import pytest

from igpipe.errors import Refused
from igpipe.model import Node, Outcome, Reason, Skip
from igpipe.sessions import Asker, Order, Request
from tests import virtual
from tests.sessions.fakes import FakeCluster, Nodes, clock, nodes, run_gadgets
from tests.sessions.world import World, until

ASKER = Asker("manual", "peer 127.0.0.1", "alice@laptop")


def request(*names: str, gadget: str = "trace_exec", seconds: float = 20.0) -> Request:
    """Ask for a look at nodes."""
    return Request(names or ("n0",), gadget, seconds, "why not", ASKER)


async def accepted(world: World, *names: str, **fields: Any) -> Order:
    """Ask once the rotation has begun; return the order."""
    await until(lambda: world.rotation.status()["lease_held"])
    return world.rotation.looks.ask(request(*names, **fields))


async def ended(order: Order) -> None:
    """Wait for the end of an order."""
    await until(lambda: order.standing == "ended")


def refusal(world: World, *names: str, **fields: Any) -> str:
    """Ask, and return why it is refused."""
    with pytest.raises(Refused) as caught:
        world.rotation.looks.ask(request(*names, **fields))
    told = world.sample("igpipe_look_requests_total", kind="manual", outcome=caught.value.reason)
    assert told
    return caught.value.reason


def test_it_goes_ahead_of_the_rotation() -> None:
    """With the only slot taken it gets the next one, before nodes that wait for their turn."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"period": 40.0, "max_slots": 1})
            async with world.running("n0", "n1", "n2", "n3"):
                first = await world.observing()
                name = next(n for n in ("n3", "n2") if n != first.node.name)
                order = world.rotation.looks.ask(request(name))
                await ended(order)
                second = world.rotation.history[1]
                assert (second.node.name, second.why["kind"]) == (name, "manual")
                assert cluster.most == 1

    virtual.run(main())


def test_it_needs_no_slot_of_the_rotations() -> None:
    """While there is room for more Pods the rotation goes on beside it."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"period": 100.0, "max_slots": 2})
            async with world.running("n0", "n1", "n2"):
                await world.ended()
                await accepted(world, "n0", seconds=200.0)
                before = len(world.rotation.history)
                await asyncio.sleep(150)
                assert len(world.rotation.history) > before
                assert cluster.most <= 2

    virtual.run(main())


def test_the_nodes_own_turn_stays_as_it_was() -> None:
    """The rotation looks at the node when it would have, and never at the same time."""

    async def when(*, asked: bool) -> list[float]:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"period": 300.0})
            async with world.running("n0"):
                await world.ended()
                if asked:
                    await asyncio.sleep(60)
                    await ended(await accepted(world, "n0"))
                await until(lambda: len(world.rotation.history) >= (3 if asked else 2))
                assert cluster.most == 1
            last = world.rotation.history[-1]
            assert last.why["kind"] == "rotation"
            return list(last.times.values())[:1]

    async def main() -> None:
        (without,) = await when(asked=False)
        start = clock()
        (found,) = await when(asked=True)
        assert found - start == pytest.approx(without - 1_700_001_000.0, abs=1.0)

    virtual.run(main())


def test_the_pod_runs_what_was_asked_for() -> None:
    """One container with the gadget, for the time asked for, which also bounds the Pod."""

    async def main() -> None:
        async with FakeCluster(run_gadgets(seconds=50)) as cluster:
            world = World(cluster)
            async with world.running("n0"):
                await world.ended()
                await asyncio.sleep(5)
                order = await accepted(world, gadget="trace_dns", seconds=50.0)
                await ended(order)
            uid = world.rotation.history[-1].pod_uid
            spec = cluster.manifests[uid]["spec"]
            (container,) = spec["containers"]
            assert container["args"][:7] == [
                "run", "ghcr.io/inspektor-gadget/gadget/trace_dns:v0.55.1",
                "-o", "json", "-v", "--timeout", "50",
            ]  # fmt: skip
            assert spec["activeDeadlineSeconds"] == 85
            assert not cluster.pods

    virtual.run(main())


def test_the_ledger_says_who_and_why() -> None:
    """Kind, the order, who asked by the server's and by their own account, and the reason."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running("n0"):
                await world.ended()
                order = await accepted(world)
                await ended(order)
            began, done = world.journal.told("began")[-1], world.journal.told("ended")[-1]
            assert began["why"] == done["why"] == {
                "kind": "manual", "look": order.id, "who": "peer 127.0.0.1",
                "claims": "alice@laptop", "reason": "why not",
            }  # fmt: skip
            assert began["gadgets"].keys() == done["gadgets"].keys() == {"trace_exec"}
            assert "--timeout" in done["gadgets"]["trace_exec"]["arguments"]

    virtual.run(main())


def test_revoked_it_ends_within_seconds() -> None:
    """A look that runs is short and its Pod is gone; one that waits never begins."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"max_slots": 1, "period": 5000.0})
            async with world.running("n1", "n2"):
                await world.ended()
                await asyncio.sleep(2)
                cluster.kubelet = run_gadgets(seconds=300)
                order = await accepted(world, "n1", "n2", seconds=300.0)
                await until(lambda: any(s.observed for s in world.rotation.sessions))
                began = clock()
                world.rotation.looks.revoke(order)
                await ended(order)
                assert clock() - began < 10
                assert not cluster.pods
            states = {name: place["state"] for name, place in order.as_dict()["nodes"].items()}
            assert states == {"n1": "ended", "n2": "refused"}
            session = world.rotation.history[-1]
            assert (session.outcome, session.reason) == (Outcome.SHORT, Reason.ON_REQUEST)

    virtual.run(main())


def test_only_nodes_that_may_be_looked_at() -> None:
    """Unknown and excluded nodes are refused; beside others they are told."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running():
                world.rotation.update_nodes(nodes("n0", n9=Skip.EXCLUDED))
                await world.ended()
                assert refusal(world, "n9") == "node"
                assert refusal(world, "nowhere") == "node"
                order = world.rotation.looks.ask(request("n0", "n9"))
                places = order.as_dict()["nodes"]
                assert places["n0"]["state"] == "waiting"
                assert places["n9"] == {"state": "refused", "message": "not looked at (excluded)"}

    virtual.run(main())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"gadget": "trace_open"}, "gadget"),
        ({"gadget": "rm -rf"}, "gadget"),
        ({"seconds": 301.0}, "duration"),
    ],
)
def test_what_the_configuration_does_not_allow(fields: dict[str, Any], reason: str) -> None:
    """Other gadgets and longer looks are refused."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster)
            async with world.running():
                await world.ended()
                assert refusal(world, "n0", **fields) == reason

    virtual.run(main())


def test_too_many_are_refused() -> None:
    """Nodes at once, looks at once and nodes within an hour each have a bound."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            looks = {"max_nodes": 2, "max_live": 2, "max_per_hour": 4, "cooldown": "0s"}
            world = World(cluster, looks=looks)
            async with world.running("n0", "n1", "n2"):
                await world.ended()
                assert refusal(world, "n0", "n1", "n2") == "nodes"
                one = world.rotation.looks.ask(request("n0"))
                two = world.rotation.looks.ask(request("n1"))
                assert refusal(world, "n2") == "busy"
                await ended(one)
                await ended(two)
                assert refusal(world, "n0", "n1", "n2") == "nodes"
                await ended(world.rotation.looks.ask(request("n0", "n2")))
                assert refusal(world, "n1") == "hourly_cap"
                await asyncio.sleep(3600)
                await until(lambda: not world.rotation.sessions)
                world.rotation.looks.ask(request("n1"))

    virtual.run(main())


def test_the_same_again_has_to_wait() -> None:
    """While it runs, and for the cooldown after it; another gadget has not."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, looks={"cooldown": "60s"})
            async with world.running():
                await world.ended()
                order = world.rotation.looks.ask(request())
                assert refusal(world) == "cooldown"
                await ended(order)
                assert refusal(world) == "cooldown"
                await ended(world.rotation.looks.ask(request(gadget="trace_dns")))
                await asyncio.sleep(60)
                world.rotation.looks.ask(request())

    virtual.run(main())


def test_pauses_hold_it_too() -> None:
    """Paused, igpipe takes none; what waited is given up in time, and counted."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            looks = {"patience": "30s"}
            world = World(cluster, looks=looks, rotation={"max_slots": 1})
            async with world.running("n0", "n1"):
                running = await world.observing()
                other = "n1" if running.node.name == "n0" else "n0"
                order = world.rotation.looks.ask(request(other))
                world.rotation.pause()
                assert refusal(world, "n0") == "paused"
                await ended(order)
                assert order.as_dict()["nodes"][other]["state"] == "refused"
                assert world.sample("igpipe_look_requests_expired_total") == 1
                assert len(world.rotation.history) == 1

    virtual.run(main())


def test_zones_are_bounded_for_it_as_well() -> None:
    """A look waits while its zone is full."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            rotation = {"max_slots_per_zone": 1, "period": 5000.0}
            world = World(cluster, rotation=rotation)
            zone = {"topology.kubernetes.io/zone": "z"}
            async with world.running():
                world.rotation.update_nodes(
                    Nodes(tuple(Node(f"n{i}", labels=zone) for i in range(3)))
                )
                await world.ended()
                await ended(await accepted(world, "n0", "n1", "n2"))
            assert cluster.most == 1

    virtual.run(main())


def test_without_the_lease_there_is_none() -> None:
    """A process that waits for the instance refuses, and says who holds it."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            holder, waiting = World(cluster), World(cluster)
            async with holder.running():
                await holder.ended()
                async with waiting.running():
                    await asyncio.sleep(1)
                    assert refusal(waiting) == "standby"

    virtual.run(main())


def test_failures_on_demand_do_not_pause_the_rotation() -> None:
    """Who asks for what does not work harms nobody else."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            rotation = {"pause_after_failures": 2, "period": 5000.0}
            world = World(cluster, rotation=rotation, looks={"cooldown": "0s"})
            async with world.running("n0", "n1"):
                await world.ended()
                cluster.kubelet = run_gadgets(exit_code=1)
                for name in ("n0", "n1", "n0"):
                    await asyncio.sleep(2)
                    await ended(world.rotation.looks.ask(request(name)))
                assert world.rotation.history[-1].outcome is Outcome.FAILED
                assert not world.rotation.paused

    virtual.run(main())


def test_those_who_watch_are_told_everything() -> None:
    """States as they change, records as they come, what was missed, and the end."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, looks={"buffer": "64KiB"})
            async with world.running():
                await world.ended()
                await asyncio.sleep(2)
                order = world.rotation.looks.ask(request())
                record = b'{"event":{"x":"' + b"y" * 1000 + b'"}}\n'
                lines: list[dict[str, Any]] = []
                async for data in world.rotation.looks.watch(order):
                    lines += [orjson.loads(line) for line in data.splitlines() if line]
                    if order.feed.lines == 0 and order.standing == "running":
                        for _ in range(100):
                            order.show({}, record)
            events = sum("event" in line for line in lines)
            missed = sum(line.get("missed", 0) for line in lines)
            assert events + missed == 100
            assert missed > 0
            assert world.sample("igpipe_look_missed_lines_total") == missed
            states = [line["look"]["state"] for line in lines if "look" in line]
            assert states[0] == "waiting"
            assert states[-1] == "ended"
            assert lines[-1]["look"]["nodes"]["n0"]["exposure_seconds"] == 20.0

    virtual.run(main())


def test_stopping_ends_what_waits() -> None:
    """When igpipe stops no order is left open."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            world = World(cluster, rotation={"max_slots": 1})
            async with world.running("n0", "n1"):
                await world.observing()
                order = world.rotation.looks.ask(request("n0", "n1"))
            assert order.standing == "ended"

    virtual.run(main())


def test_old_looks_are_forgotten() -> None:
    """A bounded number is remembered, and what they showed goes earlier."""

    async def main() -> None:
        async with FakeCluster() as cluster:
            looks = {"max_live": 1, "max_per_hour": 1000, "cooldown": "0s"}
            world = World(cluster, looks=looks, rotation={"period": 50000.0})
            async with world.running():
                await world.ended()
                first = world.rotation.looks.ask(request())
                for _ in range(55):
                    order = world.rotation.looks.all()[0]
                    order.show({}, b"{}\n")
                    world.rotation.looks.revoke(order)
                    await ended(order)
                    world.rotation.looks.ask(request())
                assert len(world.rotation.looks.all()) == 51
                assert world.rotation.looks.get(first.id) is None
                assert world.rotation.looks.all()[5].feed.read(0, 100).missed == 1

    virtual.run(main())
