"""The queue is fair, bounded and exact in what it refuses."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.model import Block, Dropped, End, EndKind, Gap
from igpipe.stream.queue import FairQueue
from tests.virtual import run

COST = 128  # of a block beside its bytes


def block(lines: int, size: int = 10) -> Block:
    """Make a block of *lines* lines of *size* bytes each."""
    return Block((b"x" * (size - 1) + b"\n") * lines, 0.0)


async def drain(queue: FairQueue[str]) -> list[tuple[str, object]]:
    """Take all that waits."""
    taken = []
    while True:
        try:
            async with asyncio.timeout(1):
                taken.append(await queue.take())
        except TimeoutError:
            return taken


def drained(queue: FairQueue[str]) -> list[tuple[str, object]]:
    """Take all that waits, in virtual time."""
    return run(drain(queue))


def test_streams_take_turns():
    """A loud stream does not delay a quiet one by more than one item."""
    queue = FairQueue[str](10_000, 10_000)
    loud, quiet = queue.open("loud"), queue.open("quiet")
    for _ in range(5):
        loud.offer(block(1))
    quiet.offer(block(1))
    assert [key for key, _ in drained(queue)][:3] == ["loud", "quiet", "loud"]


def test_order_within_a_stream_is_kept_around_a_drop():
    """Refused blocks become one Dropped where they would have been."""
    queue = FairQueue[str](10_000, 2 * (10 + COST))
    port = queue.open("a")
    gap = Gap(1.0, 2.0)
    for item in (block(1), block(1), block(2), block(3), gap, block(1)):
        port.offer(item)
    assert [item for _, item in drained(queue)] == [
        block(1),
        block(1),
        Dropped(5, 50, "queue_full"),
        gap,
        Dropped(1, 10, "queue_full"),
    ]


def test_drops_of_different_reasons_stay_apart():
    """Only drops of one reason are merged."""
    queue = FairQueue[str](10_000, 10_000)
    port = queue.open("a")
    for reason in ("oversized", "oversized", "other"):
        port.offer(Dropped(1, 5, reason))
    assert [item for _, item in drained(queue)] == [
        Dropped(2, 10, "oversized"),
        Dropped(1, 5, "other"),
    ]


def test_control_items_always_fit():
    """An End gets through the fullest queue."""
    queue = FairQueue[str](10, 10)
    port = queue.open("a")
    port.offer(block(1))
    port.offer(block(1))
    port.offer(End(EndKind.CLEAN, 1.0, 0))
    assert [type(item) for _, item in drained(queue)] == [Block, Dropped, End]


def test_room_is_left_for_a_quiet_stream():
    """However many streams are stuck, one that holds nothing finds room for a block."""
    queue = FairQueue[str](1 << 20, 1 << 20)
    for number in range(50):
        port = queue.open(str(number))
        for _ in range(200):
            port.offer(block(100, 100))
    quiet = queue.open("quiet")
    quiet.offer(block(1))
    assert quiet.size == 10 + COST


def test_a_block_beyond_every_bound_passes_an_empty_queue():
    """The longest line cannot be shut out by a small queue."""
    queue = FairQueue[str](1000, 100)
    port = queue.open("a")
    port.offer(block(1, 5000))
    port.offer(block(1))
    assert [item for _, item in drained(queue)] == [block(1, 5000), Dropped(1, 10, "queue_full")]
    assert queue.size == 0


def test_close_returns_what_waited_for_the_account():
    """Closing early gives up the room and tells what was thrown away."""
    queue = FairQueue[str](10_000, 10 + COST)
    other = queue.open("b")
    with queue.open("a") as port:
        port.offer(block(1))
        port.offer(block(2))
        other.offer(block(1))
        assert port.close() == [Dropped(1, 10, "closed"), Dropped(2, 20, "queue_full")]
    assert [key for key, _ in drained(queue)] == ["b"]
    with pytest.raises(ValueError, match="closed"):
        port.offer(block(1))


def test_unterminated_last_line_counts_as_a_line():
    """A refused block without a final newline loses no line in the account."""
    queue = FairQueue[str](300, 300)
    port = queue.open("a")
    port.offer(block(1))
    port.offer(Block(b"x" * 200 + b"\ny", 0.0))
    assert drained(queue)[-1] == ("a", Dropped(2, 202, "queue_full"))


def test_taker_waits_and_may_be_cancelled_without_loss():
    """A take that is given up takes nothing with it."""

    async def main():
        queue = FairQueue[str](1000, 1000)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await queue.take()
        queue.open("a").offer(block(1))
        return await queue.take()

    assert run(main()) == ("a", block(1))


def test_waiting_taker_is_woken_by_an_offer():
    """The consumer sleeps until something is offered."""

    async def main():
        queue = FairQueue[str](1000, 1000)
        port = queue.open("a")
        asyncio.get_running_loop().call_later(5, port.offer, block(1))
        return await queue.take(), asyncio.get_running_loop().time()

    assert run(main()) == (("a", block(1)), 1005.0)


steps = st.lists(
    st.tuples(st.sampled_from(["offer", "offer", "take"]), st.integers(0, 2), st.integers(1, 9)),
    max_size=80,
)


@given(steps)
def test_accounts_are_exact_under_overflow(plan):
    """Every line offered is taken or counted as dropped, in order, and the bounds hold."""

    async def main():
        queue = FairQueue[int](2000, 900)
        ports = [queue.open(number) for number in range(3)]
        offered, taken = [0, 0, 0], [0, 0, 0]
        for what, stream, lines in plan:
            if what == "offer":
                ports[stream].offer(block(lines))
                offered[stream] += lines
            elif queue.size:
                _count(taken, *await queue.take())
            assert queue.size == sum(port.size for port in ports) <= 2000
            assert all(port.size <= 900 for port in ports)
        while sum(taken) < sum(offered):
            _count(taken, *await queue.take())
        assert taken == offered
        assert queue.size == 0

    run(main())


def _count(taken: list[int], key: int, item: object) -> None:
    taken[key] += item.lines if isinstance(item, Dropped) else item.data.count(b"\n")
