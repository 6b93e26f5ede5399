"""The Lease, in virtual time: one holder at a time, whatever fails and whatever clocks say."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igpipe.config import ClusterConfig
from igpipe.errors import ClusterDenied, ClusterError, ClusterUnavailable, Conflict
from igpipe.health import Health
from igpipe.model import LeaseState
from igpipe.sessions import Lease
from igpipe.sessions.change import Change
from igpipe.tasks import background
from igpipe.telemetry import Telemetry
from tests import virtual
from tests.sessions.fakes import FakeCluster, clock
from tests.sessions.world import until

NAME = "igpipe-default"
DOWN = ClusterUnavailable("connection refused")


def _lease(
    cluster: FakeCluster, health: Health | None = None, *, wall: Callable[[], float] = clock
) -> Lease:
    return Lease(
        cluster,
        ClusterConfig(lease_duration=30.0),
        change=Change(),
        telemetry=Telemetry().sessions,
        health=health or Health(),
        wall=wall,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _held(lease: Lease) -> float:
    """Wait until *lease* is held; return how long that took."""
    began = _now()
    await until(lambda: lease.holding is not None)
    return _now() - began


def test_a_free_instance_is_taken_and_kept() -> None:
    """It is taken at once, renewed, and given back at the end."""

    async def main() -> None:
        cluster, health = FakeCluster(), Health("lease")
        lease = _lease(cluster, health)
        async with background(lease=lease.run):
            holding = await lease.acquired()
            assert holding.uid == cluster.leases[NAME].uid
            await asyncio.sleep(300)
            assert lease.holding is holding
            assert cluster.leases[NAME].holder == lease.identity
            assert clock() - cluster.leases[NAME].renewed <= 10.1
            assert not health.reasons()
        assert holding.lost
        assert cluster.leases[NAME].holder == ""
        assert cluster.calls["update_lease"] <= 32

    virtual.run(main())


def test_one_that_is_not_kept_is_gone_with_its_holder() -> None:
    """Deleted while it is held, so nobody else's; where that is not allowed it is given back."""

    async def main() -> None:
        cluster = FakeCluster()
        for denied in ([], [ClusterDenied("leases is forbidden")]):
            cluster.fail["delete_lease"] = list(denied)
            lease = _lease(cluster)
            lease.lasts = False
            async with background(lease=lease.run):
                await lease.acquired()
            assert [record.holder for record in cluster.leases.values()] == [""] * len(denied)

    virtual.run(main())


def test_one_that_was_taken_over_is_not_deleted() -> None:
    """It is another's then, also if this process, asleep meanwhile, does not know it yet."""

    async def main() -> None:
        cluster = FakeCluster()
        lease = _lease(cluster)
        lease.lasts = False
        async with background(lease=lease.run):
            await lease.acquired()
            taken = replace(cluster.leases[NAME], holder="other", renewed=clock())
            await cluster.update_lease(taken)
        assert cluster.calls["delete_lease"] == 1
        assert cluster.leases[NAME].holder == "other"

    virtual.run(main())


def test_who_waits_gets_it_when_it_is_given_back() -> None:
    """The second process waits, says for whom, and goes on within seconds after the release."""

    async def main() -> None:
        cluster, health = FakeCluster(), Health()
        first, second = _lease(cluster), _lease(cluster, health)
        async with background(first=first.run):
            await first.acquired()
            waiting = background(second=second.run)
            await waiting.__aenter__()
            await asyncio.sleep(100)
            assert second.holding is None
            assert health.reasons() == {"lease": f"held by {first.identity}"}
        assert await _held(second) <= 6
        assert cluster.leases[NAME].transitions == 1
        await waiting.__aexit__(None, None, None)

    virtual.run(main())


@pytest.mark.parametrize("skew", [-86400.0, 0.0, 86400.0])
def test_a_dead_holder_is_followed_after_a_whole_duration(skew: float) -> None:
    """Whatever its clock said, its record must have stood still for its duration as we saw it."""

    async def main() -> None:
        cluster = FakeCluster()
        record = LeaseState(NAME, "u", "0", "dead", 30.0, renewed=clock() + skew)
        cluster.leases[NAME] = record
        lease = _lease(cluster)
        async with background(lease=lease.run):
            assert 30 <= await _held(lease) <= 36

    virtual.run(main())


def test_a_holder_that_renews_is_never_followed() -> None:
    """Not even if its clock is a day behind."""

    async def main() -> None:
        cluster = FakeCluster()
        first, second = _lease(cluster, wall=lambda: clock() - 86400), _lease(cluster)
        async with background(first=first.run):
            await first.acquired()
            async with background(second=second.run):
                await asyncio.sleep(600)
                assert second.holding is None

    virtual.run(main())


def test_a_holder_cut_off_gives_up_before_another_may_follow() -> None:
    """Without a renewal for two thirds of the duration it is lost, and its loss is told."""

    async def main() -> None:
        cluster, health = FakeCluster(), Health()
        lease = _lease(cluster, health)
        async with background(lease=lease.run):
            holding = await lease.acquired()
            cluster.fail["update_lease"] = [DOWN] * 100
            cluster.fail["get_lease"] = [DOWN] * 100
            began = _now()
            await until(lambda: holding.lost)
            assert _now() - began <= 20.5
            assert lease.holding is None
            assert holding.lost == "not renewed: connection refused"
            assert "connection refused" in health.reasons()["lease"]
            cluster.fail.clear()
            await _held(lease)
            assert lease.holding is not holding
            assert not health.reasons()

    virtual.run(main())


def test_an_answer_that_never_comes_counts_as_none() -> None:
    """A call that hangs is not waited for beyond the deadline."""

    class Hanging(FakeCluster):
        hang = False

        async def update_lease(self, lease: LeaseState) -> LeaseState:
            if self.hang:
                await asyncio.Event().wait()
            return await super().update_lease(lease)

    async def main() -> None:
        cluster = Hanging()
        lease = _lease(cluster)
        async with background(lease=lease.run):
            holding = await lease.acquired()
            cluster.hang = True
            began = _now()
            await until(lambda: holding.lost)
            assert _now() - began <= 20.5
            cluster.hang = False

    virtual.run(main())


def test_an_instance_taken_by_another_is_lost_at_once() -> None:
    """Should somebody take it by force, we see it at the next renewal."""

    async def main() -> None:
        cluster = FakeCluster()
        lease = _lease(cluster)
        async with background(lease=lease.run):
            holding = await lease.acquired()
            taken = replace(cluster.leases[NAME], holder="other", version="x")
            cluster.leases[NAME] = taken
            await asyncio.sleep(11)
            assert holding.lost
        assert cluster.leases[NAME].holder == "other"

    virtual.run(main())


def test_a_deleted_lease_is_lost_and_made_again() -> None:
    """Our Pods went with it: their owner is gone."""

    async def main() -> None:
        cluster = FakeCluster()
        lease = _lease(cluster)
        async with background(lease=lease.run):
            holding = await lease.acquired()
            del cluster.leases[NAME]
            await until(lambda: holding.lost)
            assert (await lease.acquired()).uid not in ("", holding.uid)

    virtual.run(main())


@pytest.mark.parametrize("lost_answer", [False, True])
def test_a_changed_version_is_no_loss(lost_answer: bool) -> None:
    """An annotation by somebody, or an answer of ours that was lost, changes the version only."""

    async def main() -> None:
        cluster = FakeCluster()
        lease = _lease(cluster)
        async with background(lease=lease.run):
            holding = await lease.acquired()
            if lost_answer:
                cluster.lose["update_lease"] = [DOWN]
            else:
                noted = replace(cluster.leases[NAME], version="x", annotations={"a": "b"})
                cluster.leases[NAME] = noted
            await asyncio.sleep(60)
            assert lease.holding is holding
            assert cluster.leases[NAME].annotations == ({} if lost_answer else {"a": "b"})

    virtual.run(main())


def test_notes_lie_beside_what_others_annotate() -> None:
    """Kept from the next renewal on, over those by others; who has it next is given them first."""

    async def main() -> None:
        cluster = FakeCluster()
        lease = _lease(cluster)
        async with background(lease=lease.run):
            await lease.acquired()
            lease.note("ours", "1")
            await asyncio.sleep(11)
            annotations = {**cluster.leases[NAME].annotations, "theirs": "2"}
            changed = replace(cluster.leases[NAME], version="x", annotations=annotations)
            cluster.leases[NAME] = changed
            lease.note("ours", "3")
        heir, got = _lease(cluster), []
        heir.got = lambda record: got.append((record.annotations, heir.holding))
        async with background(lease=heir.run):
            await heir.acquired()
        assert got == [({"ours": "3", "theirs": "2"}, None)]

    virtual.run(main())


@pytest.mark.parametrize("error", [ClusterDenied("forbidden"), DOWN])
def test_what_keeps_it_from_being_taken_is_told(error: ClusterError) -> None:
    """Readiness says why; it goes on trying."""

    async def main() -> None:
        cluster, health = FakeCluster(), Health()
        cluster.fail["get_lease"] = [error] * 3
        lease = _lease(cluster, health)
        async with background(lease=lease.run):
            await asyncio.sleep(0.1)
            assert health.reasons() == {"lease": str(error)}
            await _held(lease)
            assert not health.reasons()

    virtual.run(main())


def test_a_lost_race_is_no_error() -> None:
    """Somebody who creates it first has it."""

    async def main() -> None:
        cluster = FakeCluster()
        cluster.fail["create_lease"] = [Conflict("exists")]
        lease = _lease(cluster)
        async with background(lease=lease.run):
            assert await _held(lease) >= 4

    virtual.run(main())


def test_stopping_does_not_fail_when_it_cannot_give_back() -> None:
    """The others wait a duration then."""

    async def main() -> None:
        cluster = FakeCluster()
        lease = _lease(cluster)
        async with background(lease=lease.run):
            await lease.acquired()
            cluster.fail["update_lease"] = [DOWN]
        assert cluster.leases[NAME].holder == lease.identity
        assert lease.holding is None

    virtual.run(main())


FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["get_lease", "update_lease", "create_lease"]),
        st.sampled_from(["fail", "lose"]),
        st.integers(1, 12),
        st.floats(0, 25),
    ),
    max_size=12,
)


@settings(max_examples=20)
@given(faults=FAULTS, skew=st.floats(-100, 100))
def test_never_two_holders(faults: list[tuple[str, str, int, float]], skew: float) -> None:
    """Whatever fails, whichever answers are lost and clocks say, two never hold at once."""

    async def main() -> None:
        cluster = FakeCluster()
        leases = [_lease(cluster), _lease(cluster, wall=lambda: clock() + skew), _lease(cluster)]
        together: list[float] = []

        async def check() -> None:
            while True:
                if sum(lease.holding is not None for lease in leases) > 1:
                    together.append(_now())
                await asyncio.sleep(0.05)

        async with background(check=check, a=leases[0].run, b=leases[1].run, c=leases[2].run):
            for verb, how, count, pause in faults:
                getattr(cluster, how).setdefault(verb, []).extend([DOWN] * count)
                await asyncio.sleep(pause)
            await asyncio.sleep(100)
        assert not together

    virtual.run(main())


def test_metrics_name_the_lease_and_tell_who_holds_it() -> None:
    """Before it is taken the value is 0: two processes of one instance can be told from two."""

    async def main() -> None:
        cluster, telemetry = FakeCluster(), Telemetry()
        config = ClusterConfig(namespace="looks", instance="blue")
        lease = Lease(
            cluster, config, change=Change(), telemetry=telemetry.sessions, health=Health(),
            wall=clock,
        )  # fmt: skip

        def held() -> float | None:
            labels = {"lease": "looks/igpipe-blue"}
            return telemetry.registry.get_sample_value("igpipe_lease_held", labels)

        assert held() == 0
        async with background(lease=lease.run):
            await lease.acquired()
            assert held() == 1
        assert held() == 0

    virtual.run(main())
