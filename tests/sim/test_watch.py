"""Watches."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from igpipe.sim import Faults
from tests.sim.rig import PODS, Rig, ig_pod, run

NODES = "/api/v1/nodes"


@asynccontextmanager
async def watching(rig: Rig, path: str, **query: str) -> AsyncIterator[list[Any]]:
    """Collect a watch's events while the block runs."""
    events: list[Any] = []

    async def collect() -> None:
        url = rig.cluster.url + path
        async with rig.http.get(url, params={"watch": "true", **query}) as answer:
            async for line in answer.content:
                events.append(json.loads(line))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(collect())
        await asyncio.sleep(0.5)
        yield events
        await asyncio.sleep(0.5)
        task.cancel()


def brief(events: list[Any]) -> list[tuple[str, str]]:
    """Shorten events to type and name."""
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def test_watch_from_a_list() -> None:
    """A watch from a list's version tells exactly what came after."""

    async def test(rig: Rig) -> None:
        _, listed = await rig.ask("GET", NODES)
        rig.cluster.add_node("new")
        version = listed["metadata"]["resourceVersion"]
        async with watching(rig, NODES, resourceVersion=version) as events:
            rig.cluster.cordon("new")
            rig.cluster.remove_node("node-000")
        assert brief(events) == [("ADDED", "new"), ("MODIFIED", "new"), ("DELETED", "node-000")]
        versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
        assert versions == sorted(versions)

    run(test)


def test_nothing_is_missed_around_the_start() -> None:
    """What changes while a watch begins is told, once."""

    async def test(rig: Rig) -> None:
        async def change() -> None:
            for number in range(50):
                rig.cluster.add_node(f"new-{number:02}")
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            group.create_task(change())
            async with watching(rig, NODES) as events:
                pass
        names = [name for _, name in brief(events)]
        assert sorted(names) == rig.cluster.nodes

    run(test)


def test_watch_that_falls_behind_is_ended() -> None:
    """A watch whose next change is forgotten ends with 410."""

    async def test(rig: Rig) -> None:
        async with watching(rig, NODES) as events:
            rig.cluster.add_node("new")
            rig.cluster.expire_watches()
        assert (events[-1]["type"], events[-1]["object"]["code"]) == ("ERROR", 410)

    run(test)


def test_watch_from_nothing() -> None:
    """A watch without a version begins with what there is."""

    async def test(rig: Rig) -> None:
        async with watching(rig, NODES) as events:
            pass
        assert brief(events) == [("ADDED", "node-000"), ("ADDED", "node-001")]

    run(test)


def test_watch_selects() -> None:
    """A watch tells only of objects that its selectors match."""

    async def test(rig: Rig) -> None:
        async with watching(rig, PODS, labelSelector="app=igpipe,x!=y") as events:
            other = ig_pod("trace_exec", name="other")
            other["metadata"]["labels"]["x"] = "y"
            await rig.create(other)
            await rig.create(ig_pod("trace_exec", name="mine"))
        assert {name for _, name in brief(events)} == {"mine"}

    run(test)


def test_bookmarks_and_end() -> None:
    """A quiet watch gets bookmarks, and ends in good order at its timeout."""

    async def test(rig: Rig) -> None:
        query = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": "150"}
        version = {"resourceVersion": "1000000"}
        async with rig.http.get(rig.cluster.url + NODES, params=query | version) as answer:
            events = [json.loads(line) async for line in answer.content]
        assert [event["type"] for event in events] == ["BOOKMARK"] * 3
        assert events[0]["object"]["kind"] == "Node"
        assert rig.cluster.now == pytest.approx(150, abs=1)

    run(test)


def test_old_versions_are_gone() -> None:
    """A version that is forgotten is refused with 410."""

    async def test(rig: Rig) -> None:
        _, listed = await rig.ask("GET", NODES)
        rig.cluster.add_node("new")
        rig.cluster.expire_watches()
        version = listed["metadata"]["resourceVersion"]
        status, body = await rig.ask("GET", NODES, watch="1", resourceVersion=version)
        assert (status, body["reason"]) == (410, "Expired")

    run(test)


def test_watch_may_be_told_gone() -> None:
    """A watch can end with a 410 as an event; the fault is recorded."""

    async def test(rig: Rig) -> None:
        async with rig.http.get(rig.cluster.url + NODES, params={"watch": "1"}) as answer:
            events = [json.loads(line) async for line in answer.content]
        assert (events[-1]["type"], events[-1]["object"]["code"]) == ("ERROR", 410)
        assert [fault.kind for fault in rig.cluster.injected] == ["watch_gone"]

    run(test, faults=Faults(watch_gone=1.0))


def test_watch_may_break() -> None:
    """A watch can break without an end; the fault is recorded."""

    async def test(rig: Rig) -> None:
        async with rig.http.get(rig.cluster.url + NODES, params={"watch": "1"}) as answer:
            with pytest.raises(aiohttp.ClientError):
                await answer.read()
        assert [fault.kind for fault in rig.cluster.injected] == ["watch_drop"]

    run(test, faults=Faults(watch_drop=1.0))
