"""One stream through decode, metrics and forward: its account, its exposure, its numbers."""

import orjson
import pytest

from igpipe.config import Config
from igpipe.forward import Forwarder
from igpipe.metrics import Metrics, active_rules
from igpipe.model import (
    Batch,
    Block,
    Dropped,
    End,
    EndKind,
    Event,
    Gap,
    NodeCost,
    Report,
    Resumed,
    Source,
)
from igpipe.pipeline import Stages, Stay, StreamPipeline, Tellers, counts_from_zero
from igpipe.record import lines
from igpipe.stream import Exposure
from igpipe.telemetry import Telemetry

NOW = 1_800_000_000.0
READY = b'time="2026-11-23T05:18:57Z" level=debug msg=running...\n'


class Bench:
    """A stream of trace_exec with real stages around it; batches land in a list."""

    def __init__(self, *, asked: bool = False, **sections: object) -> None:
        tree = {"gadgets": ["trace_exec"], "metrics": {"zero_hold": 0}, **sections}
        config = Config.model_validate_json(orjson.dumps(tree))
        rules = active_rules(config.metrics, ["trace_exec"])
        self.batches: list[Batch] = []
        self.telemetry = Telemetry()
        self.metrics = Metrics(config.metrics, rules, period=3600, session_seconds=60)
        exclude = config.session.exclude_namespaces
        forwarder = Forwarder(config.forward, self.batches.append, exclude=exclude)
        stages = Stages(config, self.metrics, forwarder, self.telemetry)
        self.ready: list[float] = []
        self.stderr: list[str] = []
        self.rejects: list[tuple[str, bytes]] = []
        self.shown: list[bytes] = []
        source, exposure = Source("c", "n1", "s1", "trace_exec"), Exposure(60)
        self.stream = StreamPipeline(
            stages,
            Stay(source, exposure, weighted=not asked, shown=self._show if asked else None),
            Tellers(self.ready.append, self.stderr.append, self._rejected),
            NOW,
        )

    def _rejected(self, reason: str, line: bytes) -> None:
        self.rejects.append((reason, line))

    def _show(self, _: Event, record: bytes) -> None:
        self.shown.append(record)

    def records(self) -> list[dict[str, object]]:
        """Read all records of all batches."""
        return [orjson.loads(text) for b in self.batches for text in lines(b)]

    def total(self, name: str) -> float:
        """Sum up a metric over all its series."""
        text = b"".join(self.metrics.write(NOW + 100)).decode()
        lines = [line for line in text.splitlines() if line.startswith(name + "{")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


def event(second: float, namespace: str = "shop", comm: str = "cat") -> bytes:
    """Write a trace_exec line."""
    k8s = {"namespace": namespace, "podName": "cart-1", "containerName": "app"}
    stamp = int((NOW + second) * 1e9)
    body = {"k8s": k8s, "proc": {"comm": comm}, "error_raw": 0, "timestamp_raw": stamp}
    return orjson.dumps(body) + b"\n"


def test_a_stream_is_counted_numbered_and_forwarded() -> None:
    """Lines become series and numbered records; a clean exit settles exposure to the timeout."""
    bench = Bench()
    bench.stream.handle(Block(READY + event(1) + event(2), NOW + 2))
    bench.stream.handle(Block(event(3) + b"noise\n", NOW + 3))
    bench.stream.handle(End(EndKind.CLEAN, NOW + 60, 0))
    assert bench.ready == [NOW + 2]
    assert bench.stream.account.balanced()
    assert (bench.stream.account.lines, bench.stream.account.events) == (5, 3)
    assert bench.stream.exposure.proven == 60
    assert [record["seq"] for record in bench.records()] == [0, 1, 2]
    assert bench.total("igpipe_execs_observed_total") == 3


def test_an_excluded_namespace_is_neither_counted_nor_forwarded() -> None:
    """What ig was told to leave out is left out again, and accounted as filtered."""
    bench = Bench(session={"exclude_namespaces": ["secret"]})
    bench.stream.handle(Block(READY + event(1) + event(2, "secret"), NOW + 2))
    bench.stream.handle(End(EndKind.CLEAN, NOW + 60, 0))
    assert bench.total("igpipe_execs_observed_total") == 1
    assert len(bench.records()) == 1
    assert bench.stream.offered() == {"forwarded": 1, "filtered": 1, "shed": 0}


def test_who_watches_a_look_sees_what_filters_keep_from_sinks() -> None:
    """Redacted as records are, and without hidden namespaces; the records have weight 0."""
    rules = {
        "redact": [{"fields": ["comm"], "pattern": "secret"}],
        "filters": [{"field": "comm", "matches": "sh.*"}],
    }
    bench = Bench(asked=True, session={"exclude_namespaces": ["hidden"]}, forward=rules)
    lines = event(1, comm="a secret") + event(2, "hidden") + event(3, comm="sh secret")
    bench.stream.handle(Block(READY + lines, NOW + 3))
    bench.stream.handle(End(EndKind.CLEAN, NOW + 60, 0))
    shown = [orjson.loads(record) for record in bench.shown]
    assert [record["event"]["proc"]["comm"] for record in shown] == [
        "a [redacted]",
        "sh [redacted]",
    ]
    assert shown[:1] == bench.records()
    assert shown[0]["weight"] == 0.0
    assert bench.total("igpipe_execs_observed_total") == 2
    assert bench.total("igpipe_execs_estimated_total") == 0


def test_rows_are_shown_as_well() -> None:
    """Of arrays too, each row is a record, whether its gadget is forwarded or not."""
    bench = Bench(asked=True, forward={"gadgets": ["trace_dns"]})
    bench.stream.handle(Block(b'[{"comm":"a"},{"comm":"b"}]\n', NOW + 1))
    assert [orjson.loads(r)["event"]["comm"] for r in bench.shown] == ["a", "b"]
    assert bench.records() == []


def test_what_the_queue_refused_is_in_the_account() -> None:
    """Dropped lines count as lines; too long ones are bad lines."""
    bench = Bench()
    bench.stream.handle(Dropped(7, 700, "queue_full"))
    bench.stream.handle(Dropped(1, 5000, "oversized"))
    account = bench.stream.account
    assert account.balanced()
    assert (account.lines, account.dropped, account.rejected) == (
        8, {"queue_full": 7}, {"oversized": 1},
    )  # fmt: skip


def test_a_gap_is_no_exposure_and_counts() -> None:
    """Time of which lines are missing is not proven; an exact resume is."""
    bench = Bench()
    bench.stream.handle(Block(READY + event(0), NOW))
    bench.stream.handle(Gap(NOW, NOW + 20))
    bench.stream.handle(Block(event(30), NOW + 30))
    bench.stream.handle(Resumed(NOW + 30, NOW + 40))
    assert bench.stream.gaps == 1
    assert bench.stream.exposure.proven == pytest.approx(20)


def test_what_the_tap_reports_is_in_the_account() -> None:
    """Missed, dropped and filtered lines balance the account; proof and cost are the node's."""
    bench = Bench()
    bench.stream.handle(Block(READY + event(0), NOW))
    bench.stream.handle(Report(12.5, missed=5, lost=7, dropped=3, dropped_bytes=900, filtered=2))
    bench.stream.handle(Report(12.5, bad=1, sample=b"rpc error"))
    bench.stream.handle(End(EndKind.CUT, NOW + 40, cost=NodeCost(2.0, 0.5, 100, 10)))
    account = bench.stream.account
    assert account.balanced()
    assert (account.lines, account.missed, account.filtered) == (12, 5, 2)
    assert (account.dropped, account.lost_samples) == ({"node_buffer": 3}, 7)
    assert bench.stream.exposure.proven == 12.5
    assert bench.rejects == [("frame", b"rpc error")]
    told = bench.telemetry.registry.get_sample_value
    cpu = {"gadget": "trace_exec", "process": "tap"}
    assert told("igpipe_node_cpu_seconds_total", cpu) == 0.5


def test_a_frame_that_miscounts_its_lines_is_told() -> None:
    """Lines that are there are handled; a frame that has others than it says is a bad one."""
    bench = Bench()
    bench.stream.handle(Block(READY + event(1), NOW + 1, told=2))
    assert bench.rejects == []
    bench.stream.handle(Block(event(2) + event(3), NOW + 2, told=3))
    assert bench.rejects == [("frame", (event(2) + event(3))[:200])]
    assert bench.stream.account.events == 3
    told = bench.telemetry.registry.get_sample_value
    assert told("igpipe_bad_frames_total", {"gadget": "trace_exec"}) == 1


def test_a_long_look_is_committed_in_parts() -> None:
    """Series grow during a look, not only at its end."""
    bench = Bench(metrics={"zero_hold": 0, "commit_interval": 10})
    bench.stream.handle(Block(READY + event(1), NOW + 1))
    bench.stream.handle(Block(event(9), NOW + 9))
    assert bench.total("igpipe_execs_observed_total") == 0
    bench.stream.tick(NOW + 11)
    assert bench.total("igpipe_execs_observed_total") == 2


def test_an_error_of_ig_is_kept_for_the_session() -> None:
    """The first Error line is the stream's error, and all of ig's log is told."""
    bench = Bench()
    bench.stream.handle(Block(b"Error: no \x1b[31mkprobes\nError: again\n", NOW))
    bench.stream.handle(End(EndKind.ERROR, NOW + 1, 1))
    assert "no \\x1b[31mkprobes" in bench.stream.error
    assert len(bench.stderr) == 2


def test_an_event_without_a_time_gets_its_arrival() -> None:
    """The record's time is never missing."""
    bench = Bench()
    bench.stream.handle(Block(b'{"proc":{"comm":"x"}}\n', NOW + 5))
    bench.stream.handle(End(EndKind.CUT, NOW + 6))
    assert bench.records()[0]["time"] == int((NOW + 5) * 1e9)


@pytest.mark.parametrize(
    ("session", "image", "since"),
    [
        ({"gadget_version": "v0.55.1"}, "", True),
        ({"gadget_version": "v0.47.0"}, "", False),
        ({"gadget_version": "v0.55.1"}, "r/profile_tcprtt:v0.46.0", False),
        ({"gadget_version": "latest"}, "", True),
        ({"generation": "builtin"}, "", False),
    ],
)
def test_the_gadgets_image_decides_what_slot_zero_means(
    session: dict[str, str], image: str, since: bool
) -> None:
    """Slots changed their meaning with v0.48 of the gadget's image."""
    gadgets = [{"name": "profile_tcprtt", "image": image}]
    tree = {"session": session, "gadgets": gadgets}
    config = Config.model_validate_json(orjson.dumps(tree))
    assert counts_from_zero(config.session, config.gadgets, "profile_tcprtt") is since


def test_a_bad_line_is_shown_once_a_block() -> None:
    """The last bad line of a block is told with its reason, cut; good blocks tell none."""
    bench = Bench()
    torn = b'{"torn":"' + b"x" * 600
    bench.stream.handle(Block(event(1) + b"{first\n" + torn + b"\n", NOW + 1))
    bench.stream.handle(Block(event(2), NOW + 2))
    assert bench.rejects == [("json", torn[:200])]
