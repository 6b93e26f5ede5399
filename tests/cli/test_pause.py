"""Pausing by the API and by the Lease's annotation."""

import asyncio
from pathlib import Path

import pytest

from igpipe.cli.pause import annotate, ask_to_pause, ask_to_resume
from igpipe.config import Config
from igpipe.errors import Conflict, InputError
from igpipe.model import LeaseState
from tests import virtual
from tests.cli.fakes import FakeCluster
from tests.service.world import config, running, world
from tests.sessions.world import until

CONFIG = Config()
KEY = "igpipe.io/paused"


def lease(**annotations: str) -> LeaseState:
    """Return a Lease that somebody holds."""
    return LeaseState("igpipe-default", "u", "1", "vm_1", 30.0, 1.0, annotations=annotations)


class Busy(FakeCluster):
    """A cluster in which the holder renews between reading and writing, *races* times."""

    races = 2

    async def update_lease(self, lease: LeaseState) -> LeaseState:
        """Refuse, or keep the Lease."""
        if self.races:
            self.races -= 1
            raise Conflict(lease.name)
        return await super().update_lease(lease)


def test_pause_and_resume_touch_one_annotation() -> None:
    """Holder and other annotations stay as they are."""

    async def main() -> None:
        cluster = FakeCluster(lease=lease(team="x"))
        told = await annotate(cluster, CONFIG, paused=True)
        assert told.startswith("paused (by the annotation of Lease igpipe-sessions/igpipe-default")
        assert cluster.lease == lease(team="x", **{KEY: "true"})
        assert "resumed" in await annotate(cluster, CONFIG, paused=False)
        assert cluster.lease == lease(team="x")

    virtual.run(main())


def test_a_renewal_in_between_is_taken_in_stride() -> None:
    """It reads again and tries again."""
    cluster = Busy(lease=lease())
    virtual.run(annotate(cluster, CONFIG, paused=True))
    assert cluster.lease == lease(**{KEY: "true"})


def test_a_lease_that_never_rests_is_named() -> None:
    """After some tries it gives up."""
    cluster = Busy(lease=lease())
    cluster.races = 99
    with pytest.raises(InputError, match="try again"):
        virtual.run(annotate(cluster, CONFIG, paused=True))


def test_without_a_lease_there_is_nothing_to_pause() -> None:
    """The message says where it looked."""
    with pytest.raises(InputError, match="no Lease igpipe-sessions/igpipe-default"):
        virtual.run(annotate(FakeCluster(), CONFIG, paused=True))


def test_resuming_what_is_not_paused_writes_nothing() -> None:
    """There is nothing to change."""
    cluster = Busy(lease=lease())
    cluster.races = 99
    assert "resumed" in virtual.run(annotate(cluster, CONFIG, paused=False))


@pytest.mark.parametrize("answers", [True, False])
def test_from_the_command_to_the_nodes_and_back(tmp_path: Path, *, answers: bool) -> None:
    """By the API, or where nobody answers by the Lease: nothing begins until it is resumed."""

    async def main() -> None:
        async with world(2) as (cluster, clock):
            made = config(tmp_path, cluster, cluster={"lease_duration": 6})
            async with running(made, clock) as (address, parts):
                asked = address if answers else "http://127.0.0.1:1"
                client = made.client.model_copy(update={"address": asked})
                typed = made.model_copy(update={"client": client})
                way = f"(asked {address})" if answers else "(by the annotation of Lease"
                await until(lambda: len(parts.rotation.history) > 1)
                assert (await ask_to_pause(typed, lease=False)).startswith(f"paused {way}")
                await until(lambda: parts.rotation.paused)
                await parts.rotation.idle()
                count = len(parts.rotation.history)
                await asyncio.sleep(45)  # longer than a period
                assert len(parts.rotation.history) == count
                assert cluster.pods == []
                assert (await ask_to_resume(typed, lease=False)).startswith(f"resumed {way}")
                await until(lambda: len(parts.rotation.history) > count)

    virtual.run(main())
