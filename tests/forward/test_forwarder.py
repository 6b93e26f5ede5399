"""Records and batches: what they hold, when they are closed, and that every event is counted."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.model import Source
from tests.forward.samples import SOURCE, Kept, event, lines, recorded


def test_a_record_tells_its_identity_time_weight_and_event() -> None:
    """The shape of a record is a promise to whoever queries the logs."""
    kept = Kept()
    kept.offer(event(), time_ns=1795411137694310226)

    assert kept.records() == [
        {
            "cluster": "prod",
            "node": "node-1",
            "session": "s1",
            "gadget": "trace_exec",
            "seq": 0,
            "time": 1795411137694310226,
            "weight": 30.0,
            "labels": {
                "namespace": "shop",
                "pod": "cart-0",
                "container": "app",
                "comm": "sh",
                "pid": "1",
            },
            "event": event(),
        }
    ]


def test_a_line_is_kept_byte_by_byte() -> None:
    """Without redaction the event in the record is the line as ig wrote it."""
    kept = Kept()
    for line in recorded("v0.54.0/trace_exec.log.gz"):
        kept.stream.offer(orjson.loads(line), line, 0, 0)
        kept.stream.flush()
        assert list(kept.batches.pop().events) == [line[:-1]]


def test_a_batch_is_in_few_pieces() -> None:
    """However many lines came one by one: a system call takes a bounded number of them."""
    kept = Kept()
    for seq in range(1025):
        kept.stream.offer({}, b"{}\n", seq, 0)
    kept.stream.flush()
    (batch,) = kept.batches
    assert (batch.count, [*batch.events]) == (1025, [b"{}"] * 1025)
    assert len(batch.events.pieces) < 100


def test_a_row_of_an_array_is_written_anew() -> None:
    """A row has no line of its own."""
    kept = Kept()
    kept.offer({"comm": "sh", "pid": 3}, row=True)
    assert kept.events() == [{"comm": "sh", "pid": 3}]


def test_hostile_names_are_escaped_in_the_record() -> None:
    """A quote in a node's name does not end the string."""
    kept = Kept()
    stream = kept.forwarder.open(Source("c", 'n"\n', "s", "g"), 1.0)
    stream.offer({}, b"{}\n", 0, 0)
    stream.flush()
    assert orjson.loads(lines(kept.batches[0])[0])["node"] == 'n"\n'


def test_a_batch_knows_its_source_sequence_and_times() -> None:
    """The header of a batch is enough to find, order and expire it."""
    kept = Kept()
    kept.seq = 5
    for time_ns in (20, 10, 30):
        kept.offer(event(), time_ns=time_ns)
    kept.stream.flush()

    (batch,) = kept.batches
    assert (batch.source, batch.first_seq, batch.count) == (SOURCE, 5, 3)
    assert (batch.first_time, batch.last_time) == (10, 30)
    assert len(lines(batch)) == 3


def test_a_batch_is_closed_at_its_size() -> None:
    """The batch that reaches the size is appended at once."""
    kept = Kept(batch_bytes=4096)
    for _ in range(100):
        kept.offer(event("x" * 200))
    assert len(kept.batches) > 5
    assert all(4096 <= sum(map(len, batch.events)) < 4096 + 500 for batch in kept.batches)


def test_a_batch_is_closed_at_its_age() -> None:
    """The age counts from its first event; an empty batch is none."""
    kept = Kept(batch_age="2s")
    kept.stream.due(200.0)
    kept.offer(event())
    kept.stream.due(201.9)
    assert kept.batches == []
    kept.stream.due(202.0)
    assert len(kept.batches) == 1
    kept.stream.due(300.0)
    kept.stream.flush()
    assert len(kept.batches) == 1


def test_shedding_is_by_container_and_refills() -> None:
    """One that shouts is shed, its neighbour is not, and time gives new tokens."""
    kept = Kept(rate_per_container=2.0, burst_per_container=3)
    for _ in range(5):
        kept.offer(event(pod="loud"))
    kept.offer(event(pod="quiet"))
    kept.offer({"comm": "kubelet"})
    assert (kept.stream.forwarded, kept.stream.shed) == (5, 2)

    kept.stream.due(101.0)
    for _ in range(5):
        kept.offer(event(pod="loud"))
    assert (kept.stream.forwarded, kept.stream.shed) == (7, 5)


def test_the_rate_is_shared_by_the_streams_of_a_container() -> None:
    """Two gadgets that see one container have one bucket for it."""
    kept = Kept(rate_per_container=1.0, burst_per_container=2)
    other = kept.forwarder.open(Source("prod", "node-1", "s1", "trace_open"), 1.0, now=100.0)
    kept.offer(event())
    kept.offer(event())
    other.offer(event(), b"{}\n", 0, 0)
    assert other.shed == 1


def test_what_is_nested_too_deep_to_be_rewritten_is_filtered() -> None:
    """A hostile event costs itself only, and is counted."""
    kept = Kept(redact=[{"pattern": "secret"}])
    for depth in (300, 1000):
        kept.stream.offer(orjson.loads(b'{"args":' + b"[" * depth + b"]" * depth + b"}"), b"", 0, 0)
    assert (kept.stream.filtered, kept.events()) == (2, [])


@pytest.mark.parametrize("shape", [{"k8s": None}, {"k8s": []}, {"k8s": {"namespace": {}}}])
def test_other_shapes_are_forwarded(shape: dict[str, object]) -> None:
    """Without rules that need a field, no shape is refused."""
    kept = Kept(rate_per_container=1.0)
    kept.offer(shape)
    assert kept.events() == [shape]


_events = st.builds(
    event,
    st.sampled_from(["a", "secret", ["x", "secret"], 5, None]),
    namespace=st.sampled_from(["", "shop", "kube-system"]),
    pod=st.sampled_from(["p", "q"]),
)


@given(st.lists(st.tuples(_events, st.booleans(), st.booleans())))
def test_every_event_is_counted_once(offered: list[tuple[dict[str, object], bool, bool]]) -> None:
    """Events = forwarded + filtered + shed, in the stream, the batches and the telemetry."""
    kept = Kept(
        exclude=("kube-system",),
        filters=[{"field": "args", "matches": "a"}],
        redact=[{"pattern": "secret"}],
        rate_per_container=1.0,
        burst_per_container=3,
        batch_bytes=4096,
    )
    for each, row, tick in offered:
        kept.offer(each, row=row)
        if tick:
            kept.stream.due(100.0 + kept.seq / 4)
    kept.stream.flush()

    stream = kept.stream
    assert stream.forwarded + stream.filtered + stream.shed == len(offered)
    assert sum(batch.count for batch in kept.batches) == stream.forwarded
    assert all(batch.count == len(lines(batch)) for batch in kept.batches)
    assert not any(b"secret" in b"".join(lines(batch)) for batch in kept.batches)
    told = {"forwarded": stream.forwarded, "filtered": stream.filtered, "shed": stream.shed}
    assert kept.told == {outcome: count for outcome, count in told.items() if count}
