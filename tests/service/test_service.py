"""The whole product against a simulated cluster: what it reads, counts, forwards and leaves."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from igpipe.sim import SOME, Faults
from igpipe.sim.faults import POD_FAULTS
from igpipe.status import LEADERS, ServiceViews
from tests import virtual
from tests.service.world import (
    FakeLoki,
    LokiConfig,
    config,
    outcomes,
    running,
    series,
    settle,
    world,
)

API_CALLS_A_SESSION = 5
OFTEN = replace(SOME, **{kind: 3 * getattr(SOME, kind) for kind in POD_FAULTS})
"""Some of everything, and half of all Pods: few sessions meet each fault."""


def test_every_node_is_looked_at_and_every_line_is_accounted_for(tmp_path: Path) -> None:
    """Without faults all that nodes print is read, counted and delivered once; nothing is left."""

    async def main() -> None:
        async with world() as (cluster, clock), FakeLoki() as loki:
            sink = {"type": "loki", "name": "loki", "url": loki.url}
            async with running(config(tmp_path, cluster, sinks=[sink]), clock) as (_, parts):
                await asyncio.sleep(60)
                await settle(parts)
                looked = {session.node.name for session in parts.rotation.history}
                status = ServiceViews(parts).status()
            assert outcomes(parts).keys() == {("completed", "")}
            assert looked == set(cluster.nodes)
            assert status["accounts"]["balanced"]
            assert status["accounts"]["lines"] == cluster.truth.lines
            accounts = status["accounts"]
            assert accounts["session_records"] == len(parts.rotation.history)
            records = accounts["events"] + accounts["session_records"]
            assert loki.stored == parts.sinks[0].account.delivered == records
            assert cluster.pods == []

    virtual.run(main())


def test_taps_change_nothing_but_the_transport(tmp_path: Path) -> None:
    """Through taps every line is read and counted, too; sessions tell what they cost nodes."""

    async def main() -> None:
        session = {"tap_image": "registry.example/igpipe-tap:1", "gadget_store": "tap"}
        async with world(4) as (cluster, clock):
            async with running(config(tmp_path, cluster, session=session), clock) as (_, parts):
                await asyncio.sleep(40)
                await settle(parts)
                status = ServiceViews(parts).status()
            assert outcomes(parts).keys() == {("completed", "")}
            assert status["accounts"]["lines"] == cluster.truth.lines
            assert status["accounts"]["balanced"]
            told = parts.rotation.history[0].as_dict()
            assert told["transport"] == "tap"
            gadget = told["gadgets"]["trace_exec"]
            bad = parts.telemetry.registry.get_sample_value
            assert bad("igpipe_bad_frames_total", {"gadget": "trace_exec"}) == 0
            assert gadget["exposure_seconds"] == 5.0
            assert gadget["node_cost"]["tap_seconds"] > 0

    virtual.run(main())


def test_lines_that_a_rotation_took_are_counted_to_the_line(tmp_path: Path) -> None:
    """Whatever is cut or rotated away under taps: lines of ig = lines read + missed."""

    async def main() -> None:
        session = {"tap_image": "registry.example/igpipe-tap:1"}
        faults = Faults(stream_cut=0.3, rotation_gap=0.5)
        async with world(3, faults=faults) as (cluster, clock):
            async with running(config(tmp_path, cluster, session=session), clock) as (_, parts):
                await asyncio.sleep(40)
                cluster.set_faults(Faults())
                await settle(parts)
                accounts = ServiceViews(parts).status()["accounts"]
            assert accounts["missed"] > 0
            assert accounts["balanced"]
            assert accounts["lines"] == cluster.truth.lines

    virtual.run(main())


def test_a_node_that_cannot_start_the_tap_is_read_plainly(tmp_path: Path) -> None:
    """The same session goes on without the tap, says why, and the next one does not try."""

    async def main() -> None:
        session = {"tap_image": "registry.example/igpipe-tap:missing"}
        async with world(2) as (cluster, clock):
            async with running(config(tmp_path, cluster, session=session), clock) as (_, parts):
                await asyncio.sleep(70)
                await settle(parts)
            assert outcomes(parts).keys() == {("completed", "")}
            told = [session.as_dict() for session in parts.rotation.history]
            assert {each["transport"] for each in told} == {"logs"}
            assert all("ErrImagePull" in each["tap_fault"] for each in told)
            assert len(told) > 2
            assert cluster.api_calls["create pods"] == len(told) + 2
            assert cluster.pods == []

    virtual.run(main())


def test_the_page_is_told_rates_and_who_is_seen_most(tmp_path: Path) -> None:
    """Curves rise while gadgets print, and the largest series are those of the metrics."""

    async def main() -> None:
        async with world() as (cluster, clock):
            async with (
                running(config(tmp_path, cluster), clock) as (address, _),
                aiohttp.ClientSession(address) as http,
            ):
                await asyncio.sleep(45)
                async with http.get("/api/v1/status") as answer:
                    status = await answer.json()
                async with http.get("/") as answer:
                    page = await answer.text()
            assert any(status["gadgets"]["trace_exec"]["recent"])
            leaders = {view["metric"]: view["rows"] for view in status["leaders"]}
            values = [row["value"] for row in leaders["igpipe_execs_observed_total"]]
            assert values == sorted(values, reverse=True)
            assert len(values) == LEADERS
            assert "Commands executed" in page

    virtual.run(main())


def test_observed_counts_are_what_nodes_printed(tmp_path: Path) -> None:
    """Per node, namespace, Pod, container and comm, the series hold exactly the truth."""

    async def main() -> None:
        async with world() as (cluster, clock):
            async with running(config(tmp_path, cluster), clock) as (_, parts):
                await asyncio.sleep(45)
                await settle(parts)
                await asyncio.sleep(1)
                counted = series(parts, clock, "igpipe_execs_observed_total")
            printed: Counter[tuple[str, str]] = Counter()
            for (node, _, _, pod, _, _), count in cluster.truth.printed("trace_exec").items():
                printed[node, pod] += count
            read: Counter[tuple[str, str]] = Counter()
            for labels, value in counted.items():
                pairs = dict(label.rstrip('"').split('="', 1) for label in labels)
                read[pairs["node"], pairs["pod"]] += int(value)
            assert read == printed

    virtual.run(main())


def test_a_session_costs_few_api_calls(tmp_path: Path) -> None:
    """Beyond its log streams a session makes at most five calls."""

    async def main() -> None:
        async with world() as (cluster, clock):
            async with running(config(tmp_path, cluster), clock) as (_, parts):
                before = Counter(cluster.api_calls)
                await asyncio.sleep(60)
                await settle(parts)
                calls = cluster.api_calls - before
            sessions = len(parts.rotation.history)
            about_pods = sum(n for call, n in calls.items() if call != "get pods/log")
            assert sessions > 10
            assert about_pods <= API_CALLS_A_SESSION * sessions
            assert calls["create pods"] == calls["delete pods"] == sessions

    virtual.run(main())


def test_each_fault_ends_its_session_with_the_right_reason(tmp_path: Path) -> None:
    """With everything going wrong, outcomes match what was injected and no Pod is left."""
    reasons = {
        "image_pull": "image_pull",
        "start_timeout": "start_timeout",
        "rejected": "rejected",
        "evicted": "evicted",
        "node_gone": "node_gone",
        "node_not_ready": "node_gone",
        "node_cordoned": "node_draining",
    }

    async def main() -> None:
        async with (
            world(10, rate=5.0, faults=OFTEN, seed=5) as (cluster, clock),
            FakeLoki(LokiConfig(fail=0.2)) as loki,
        ):
            sink = {"type": "loki", "name": "loki", "url": loki.url, "backoff_max": 1}
            async with running(config(tmp_path, cluster, sinks=[sink]), clock) as (_, parts):
                await asyncio.sleep(80)
                cluster.set_faults(Faults())
                await settle(parts)
                async with asyncio.timeout(300):
                    while cluster.pods:  # noqa: ASYNC110 - of nodes that are silent yet
                        await asyncio.sleep(1)
            ended = {session.pod_uid: session for session in parts.rotation.history}
            told = Counter()
            for fault in cluster.injected:
                session = ended.get(fault.uid)
                if (
                    session is None
                    or fault.kind not in reasons
                    or "created" not in session.times  # its creation was never answered
                    or fault.at > session.times["draining"]
                ):
                    continue
                told[fault.kind, session.reason.value == reasons[fault.kind]] += 1
            assert {kind for kind, right in told if right} >= reasons.keys() - {"node_gone"}
            assert not [kind for kind, right in told if not right]
            assert loki.stored == parts.sinks[0].account.delivered
            assert all(total.account.balanced() for total in parts.pump.totals().values())

    virtual.run(main())


def test_of_two_with_one_instance_one_acts(tmp_path: Path) -> None:
    """A second igpipe of the same instance waits, and takes over when the first has gone."""

    async def main() -> None:
        async with world(4) as (cluster, clock):
            one = config(tmp_path, cluster)
            async with running(one, clock) as (_, second_to_stop):
                await asyncio.sleep(15)
                async with running(one, clock) as (_, waiting):
                    await asyncio.sleep(40)
                    assert not waiting.rotation.history
                    assert "held by" in waiting.health.reasons()["lease"]
                assert second_to_stop.rotation.history
            async with running(one, clock) as (_, successor):
                await asyncio.sleep(20)
                assert successor.rotation.history
            assert cluster.pods == []

    virtual.run(main())


def test_stopping_ends_sessions_and_drains(tmp_path: Path) -> None:
    """A stop in the middle leaves no Pod, and what was read is delivered."""

    async def main() -> None:
        async with world() as (cluster, clock), FakeLoki() as loki:
            sink = {"type": "loki", "name": "loki", "url": loki.url}
            async with running(config(tmp_path, cluster, sinks=[sink]), clock) as (_, parts):
                await asyncio.sleep(12)
                assert any(session.observed for session in parts.rotation.sessions)
            assert cluster.pods == []
            account = parts.sinks[0].account
            assert account.pending == 0
            assert 0 < account.delivered == loki.stored

    virtual.run(main())


def test_last_looks_survive_a_restart(tmp_path: Path) -> None:
    """What a process looked at before counts for the next one's weights and order."""

    async def main() -> None:
        async with world(4) as (cluster, clock):
            kept = config(tmp_path, cluster, metrics={"state_file": str(tmp_path / "state.json")})
            async with running(kept, clock) as (_, parts):
                await asyncio.sleep(40)
                await settle(parts)
                b"".join(parts.metrics.write(clock()))
                before = {(x["node"], x["gadget"]): x["ended"] for x in parts.metrics.looks()}
            async with running(kept, clock) as (_, parts):
                after = {(x["node"], x["gadget"]): x["ended"] for x in parts.metrics.looks()}
            assert before
            assert after == before

    virtual.run(main())


def test_bad_lines_are_logged_now_and_then_and_series_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A sample of bad lines is in the log, escaped; /metrics tells how many series there are."""

    async def main() -> None:
        async with world(4, faults=Faults(malformed=0.2)) as (cluster, clock):
            async with running(config(tmp_path, cluster), clock) as (_, parts):
                await asyncio.sleep(40)
                b"".join(ServiceViews(parts).metrics(openmetrics=False))
                value = parts.telemetry.registry.get_sample_value
                assert value("igpipe_series") == parts.metrics.lines > 0
                assert value("igpipe_series_budget") == 100_000
            told = [r for r in caplog.records if r.getMessage() == "a line was rejected"]
            totals = parts.pump.totals().values()
            rejected = sum(sum(total.account.rejected.values()) for total in totals)
            assert 0 < len(told) < rejected
            assert all(vars(record)["line"].isprintable() for record in told)

    virtual.run(main())
