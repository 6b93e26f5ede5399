"""The sender: order, retries, waits, offenders alone, and one outcome a record. Virtual time."""

import asyncio
import logging
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import igzip

from igpipe.errors import SinkBroken, SinkUnavailable
from igpipe.sinks import SinkState
from igpipe.sinks.http import Answer
from igpipe.sinks.sender import LINGER, SUSPICION
from igpipe.spool import Account
from tests.sinks.samples import DNS, EXEC, Bench, batch, seqs
from tests.virtual import run


def test_batches_of_one_stream_are_merged() -> None:
    """What waits is sent in as few requests as there are streams."""
    bench = Bench()
    run(bench.deliver(batch(0, 2), batch(0, 1, source=DNS), batch(2, 2)))
    assert [seqs(body) for body in bench.loki.bodies] == [[0, 1, 2, 3], [0]]
    assert bench.reader.account == Account(forwarded=5, delivered=5)
    assert bench.requests("ok") == 2


@pytest.mark.parametrize(
    "failure",
    [Answer(429), Answer(500), Answer(503), Answer(408), SinkUnavailable("reset")],
)
def test_a_transient_failure_is_tried_again_with_the_same_bytes(
    failure: Answer | Exception,
) -> None:
    """Loki stores an identical entry once; so a retry must be identical."""
    bench = Bench(failure, failure)
    run(bench.deliver(batch(0, 3)))
    assert len(set(bench.loki.bodies)) == 1
    assert len(bench.loki.bodies) == 3
    assert bench.reader.account == Account(forwarded=3, delivered=3)
    assert bench.requests("retry") == 2


def test_a_few_records_wait_a_moment_for_others() -> None:
    """Batches of many streams share requests; a backlog that fills one waits for nothing."""
    bench = Bench(request_bytes=2**16)

    async def main() -> None:
        async def body() -> None:
            for seq in range(3):
                bench.spool.append(batch(seq), now=1000.0)
                await asyncio.sleep(LINGER / 4)
            await bench.reader.drained()
            bench.spool.append(batch(3, 1000), now=1001.0)
            await bench.reader.drained()

        await bench.during(body)

    run(main())
    begun = 1000.0 + LINGER
    assert seqs(bench.loki.bodies[0]) == [0, 1, 2]
    assert set(bench.loki.times) == {begun}


def test_waits_grow_and_start_again_after_a_success() -> None:
    """An outage is met with ever fewer requests, up to the longest wait."""
    bench = Bench(*[Answer(500)] * 12, Answer(204), Answer(500))

    async def main() -> None:
        await bench.deliver(batch(0))
        await bench.deliver(batch(1))

    run(main())
    waits = [later - earlier for earlier, later in pairwise(bench.loki.times)]
    assert all(2**n / 4 <= wait <= 2**n / 2 for n, wait in enumerate(waits[:7]))
    assert all(30 <= wait <= 60 for wait in waits[8:12])
    assert waits[13] <= 0.5


def test_retry_after_is_honoured() -> None:
    """A server that says when is not asked before."""
    bench = Bench(Answer(429, retry_after=20.0))
    run(bench.deliver(batch()))
    assert bench.loki.times[1] - bench.loki.times[0] == 20.0


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_holds_everything_and_makes_not_ready(status: int) -> None:
    """Nothing is dropped; it is tried now and then, and readiness tells why."""
    bench = Bench(Answer(status, b"no org id\x1b[31m"), Answer(status))

    async def main() -> None:
        async def body() -> None:
            await asyncio.sleep(1)
            assert bench.health.reasons() == {"sink loki": f"{status} no org id\\x1b[31m"}
            assert bench.sender.status.state is SinkState.HELD
            assert bench.sender.status.as_dict()["last_error"] == f"{status} no org id\\x1b[31m"
            assert bench.reader.account == Account(forwarded=1, pending=1)
            await bench.reader.drained()

        bench.spool.append(batch(), now=1000.0)
        await bench.during(body)

    run(main())
    begun = 1000.0 + LINGER
    assert bench.loki.times == [begun, begun + 60, begun + 120]
    assert bench.health.reasons() == {}
    assert bench.sender.status.state is SinkState.WORKING
    assert bench.requests("denied") == 2


def test_blocked_records_are_dead_letters() -> None:
    """260 is no success, and there is no use in trying again."""
    bench = Bench(Answer(260, b"blocked by policy"))
    run(bench.deliver(batch(0, 3)))
    assert bench.reader.account == Account(forwarded=3, dead_lettered=3)
    assert bench.sender.status.as_dict()["dead_letter_reasons"] == {"blocked": 3}
    assert bench.requests("blocked") == 1


def test_dead_letters_are_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """A flood of bad records is a number in the log, not a flood of lines."""
    bench = Bench(*[Answer(260, b"no")] * 4)

    async def main() -> None:
        for seq in range(4):
            await bench.deliver(batch(seq, 5))
            await asyncio.sleep(25)

    with caplog.at_level(logging.WARNING):
        run(main())
    told = [vars(r)["records"] for r in caplog.records if "never take" in r.message]
    assert told == [1, 15]


def test_too_large_requests_are_split() -> None:
    """413 halves the request; a single record that is too large is a dead letter."""
    bench = Bench(Answer(413), Answer(204), Answer(413), Answer(204), Answer(413))
    run(bench.deliver(batch(0, 4)))
    assert [seqs(body) for body in bench.loki.bodies] == [[0, 1, 2, 3], [0, 1], [2, 3], [2], [3]]
    assert bench.reader.account == Account(forwarded=4, delivered=3, dead_lettered=1)
    assert bench.sender.status.as_dict()["dead_letter_reasons"] == {"too_large": 1}


def test_requests_get_smaller_when_they_go_on_failing() -> None:
    """What is more than a server's burst would be refused for ever; with success it grows again."""
    bench = Bench(*[Answer(429)] * 5, request_bytes=2**18)
    run(bench.deliver(batch(0, 1000)))
    lengths = [len(igzip.decompress(body)) for body in bench.loki.bodies]
    assert all(2**17 < length <= 2**18 for length in lengths[:4])
    assert lengths[4] <= 2**17
    assert max(lengths[5:8]) <= 2**16
    assert bench.reader.account == Account(forwarded=1000, delivered=1000)


def test_a_record_over_which_connections_break_is_a_dead_letter() -> None:
    """A proxy may cut off what it dislikes, without a word; neighbours are delivered."""
    for deadly in (0, 5, 39):
        bench = Bench()
        bench.loki.deadly = deadly.__eq__
        run(bench.deliver(batch(0, 40)))
        assert bench.reader.account == Account(forwarded=40, delivered=39, dead_lettered=1)
        assert bench.sender.status.as_dict()["dead_letter_reasons"] == {"broken": 1}
        sought = len(bench.loki.bodies) - SUSPICION
        assert sought <= 2 * math.ceil(math.log2(40)) + 2


def test_nothing_is_given_up_while_no_record_is_answered() -> None:
    """A sink that breaks every connection is away, however long; so is one that is but slow."""
    for failure in (SinkBroken("reset"), SinkUnavailable("no answer")):
        bench = Bench(*[failure] * 1000)

        async def main(bench: Bench = bench) -> None:
            bench.spool.append(batch(0, 40), asyncio.get_running_loop().time())
            await bench.during(lambda: asyncio.sleep(3000))

        run(main())
        assert bench.reader.account == Account(forwarded=40, pending=40)
        assert len(bench.loki.bodies) < 150


def test_a_single_record_waits_for_others_before_it_is_given_up() -> None:
    """Alone it proves nothing; with another that is delivered it does."""
    bench = Bench()
    bench.loki.deadly = (0).__eq__

    async def main() -> None:
        async def body() -> None:
            bench.spool.append(batch(0), asyncio.get_running_loop().time())
            await asyncio.sleep(1200)
            assert bench.reader.account == Account(forwarded=1, pending=1)
            bench.spool.append(batch(1), asyncio.get_running_loop().time())
            await bench.reader.drained()

        await bench.during(body)

    run(main())
    assert bench.reader.account == Account(forwarded=2, delivered=1, dead_lettered=1)


def test_a_failure_while_offenders_are_sought_loses_no_outcome() -> None:
    """What was delivered or rejected before an outage stays so; only the rest is sent again."""
    bench = Bench(Answer(204), *[Answer(204)] * 4)
    bench.loki.poison = lambda seq: seq == 1
    bench.loki.script = [Answer(204), Answer(204), Answer(204), Answer(204), Answer(500)]
    run(bench.deliver(batch(0, 4)))
    assert [seqs(body) for body in bench.loki.bodies] == [
        [0, 1, 2, 3],
        [0, 1],
        [0],
        [1],
        [2, 3],
        [2, 3],
    ]
    assert bench.reader.account == Account(forwarded=4, delivered=3, dead_lettered=1)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    data=st.data(),
)
def test_offenders_are_isolated_exactly(counts: list[int], data: st.DataObject) -> None:
    """Every offender is a dead letter, every other record is delivered once, in order."""
    total = sum(counts)
    poison = data.draw(st.sets(st.integers(0, total - 1), max_size=6))
    bench = Bench()
    bench.loki.poison = poison.__contains__
    firsts = [sum(counts[:n]) for n in range(len(counts))]
    run(bench.deliver(*(batch(first, count) for first, count in zip(firsts, counts, strict=True))))

    bodies = [seqs(body) for body in bench.loki.bodies]
    delivered = [seq for body in bodies if not poison & set(body) for seq in body]
    assert delivered == [seq for seq in range(total) if seq not in poison]
    assert bench.reader.account == Account(
        forwarded=total, delivered=total - len(poison), dead_lettered=len(poison)
    )
    if len(poison) == 1:
        assert len(bodies) <= 2 * math.ceil(math.log2(total or 1)) + 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([204, 204, 260, 400, 413, 429, 500, 401]), max_size=30),
    st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=5),
)
def test_the_account_balances_whatever_the_sink_says(
    script: list[int], batches: list[tuple[int, bool]]
) -> None:
    """Any answers in any order: every record ends once, and the sender never dies."""
    bench = Bench(*map(Answer, script))
    first = iter(range(0, 1000, 10))
    run(bench.deliver(*(batch(next(first), n, source=DNS if dns else EXEC) for n, dns in batches)))
    account = bench.reader.account
    assert account.balanced()
    assert account.pending == 0
    assert account.delivered + account.dead_lettered == sum(n for n, _ in batches)


def test_a_dead_sink_does_not_keep_what_the_bounds_end() -> None:
    """While it waits, its records are in the spool and expire there."""
    bench = Bench(*[Answer(503)] * 200)

    async def main() -> None:
        bench.spool.append(batch(0, 5), now=asyncio.get_running_loop().time())
        await bench.during(lambda: asyncio.sleep(2 * 3600))

    run(main())
    assert bench.reader.account == Account(forwarded=5, expired=5)


def test_the_same_holds_for_eviction() -> None:
    """The newest records stay, the oldest go, as many as must."""
    bench = Bench(*[Answer(503)] * 200)
    size = batch(0, 1000).size

    async def main() -> None:
        for first in range(0, 20_000, 1000):
            bench.spool.append(batch(first, 1000), now=asyncio.get_running_loop().time())
        await bench.during(lambda: asyncio.sleep(60))

    run(main())
    account = bench.reader.account
    assert account.balanced()
    assert account.pending == 1000 * (2**20 // size)


def test_cancelling_puts_back_what_is_in_flight() -> None:
    """A request whose answer was not awaited leaves its records pending."""
    bench = Bench(100.0, Answer(204))

    async def main() -> None:
        bench.spool.append(batch(0, 5), now=1000.0)
        await bench.during(lambda: asyncio.sleep(1))

    run(main())
    assert bench.reader.account == Account(forwarded=5, pending=5)


def test_a_hurry_cuts_a_wait_short_once() -> None:
    """At the end there is one more try at once."""
    bench = Bench(Answer(401), Answer(401))

    async def main() -> None:
        async def body() -> None:
            await asyncio.sleep(1)
            bench.sender.hurry()
            await asyncio.sleep(10)

        bench.spool.append(batch(), now=1000.0)
        await bench.during(body)

    run(main())
    assert bench.loki.times == [1000.0 + LINGER, 1001.0]


def test_status_tells_lag_and_telemetry_the_same() -> None:
    """The lag is the age of the oldest record that is pending."""
    bench = Bench(Answer(401))

    async def main() -> None:
        async def body() -> None:
            await asyncio.sleep(8)
            value = bench.telemetry.registry.get_sample_value
            assert bench.sender.status.lag() == 8.0
            assert value("igpipe_sink_lag_seconds", {"sink": "loki"}) == 8.0
            assert value("igpipe_sink_pending_records", {"sink": "loki"}) == 2
            size = bench.sender.status.lag_bytes
            assert value("igpipe_sink_lag_bytes", {"sink": "loki"}) == size == batch(0, 2).size

        assert bench.sender.status.lag() == 0.0
        bench.spool.append(batch(0, 2), now=1000.0)
        await bench.during(body)

    run(main())


def test_latency_is_from_the_event_to_the_answer() -> None:
    """Once a batch, by its oldest event, whatever came between; retries are in it."""
    bench = Bench(Answer(503, retry_after=30.0), 5.0, Answer(204))
    run(bench.deliver(batch(0, 3, time_ns=990 * 10**9)))
    value = bench.telemetry.registry.get_sample_value
    spent = value("igpipe_sink_delivery_seconds_sum", {"sink": "loki"})
    assert spent == pytest.approx(10 + LINGER + 30 + 5)
    assert value("igpipe_sink_delivery_seconds_count", {"sink": "loki"}) == 1
    assert value("igpipe_sink_in_flight_limit", {"sink": "loki"}) == 2


def test_folded_records_are_counted() -> None:
    """Beyond the bound on label sets records go out with fewer labels, and that is told."""
    bench = Bench(labels=["gadget", "node"], max_streams=1)
    run(bench.deliver(batch(0, 2), batch(0, 3, source=DNS)))
    assert bench.folded == [3]
    assert bench.reader.account == Account(forwarded=5, delivered=5)
