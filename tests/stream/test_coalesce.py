"""The low-water mark follows the rate, and never leaves a quiet stream stuck."""

import asyncio
from contextlib import ExitStack

import pytest

from igpipe.stream.coalesce import TICK, Coalescer, Flow
from tests.virtual import run


class Reader:
    """Remembers the marks it was given."""

    def __init__(self) -> None:
        self.marks = [1]
        self.lowered = asyncio.Event()

    async def read(self) -> bytes:
        return b""

    def set_low_water(self, size: int) -> None:
        self.marks.append(size)
        if size == 1:
            self.lowered.set()


def settled(size: int, every: float) -> int:
    """Tell the mark of a stream of reads of *size* bytes *every* so many seconds."""
    flow = Flow(0.0)
    for number in range(1, 2000):
        flow.read(size, number * every)
    return flow.mark


def test_mark_is_what_comes_in_two_ticks():
    """A steady stream is woken by the tick, not by its mark, however it comes."""
    assert settled(1200, 0.001) == pytest.approx(1_200_000 * 2 * TICK, rel=0.25)
    assert settled(24_000, 0.020) == pytest.approx(1_200_000 * 2 * TICK, rel=0.25)


def test_mark_is_capped():
    """A fast stream leaves room in the socket's buffer."""
    assert 96 * 1024 <= settled(100_000, 0.001) <= 128 * 1024


def test_slow_stream_keeps_its_mark():
    """Collecting two lines saves nothing."""
    assert settled(1000, 0.01) == 1


def test_mark_is_left_alone_while_the_rate_is_about_the_same():
    """Each change is a system call, so a steady stream makes few."""
    flow = Flow(0.0)
    changes = sum(flow.read(1200 + number % 7 * 20, number / 1000) for number in range(1, 5000))
    assert changes < 20


def test_tick_lowers_what_was_read_at_the_last_one():
    """Every tick lets a steady stream be read, but not one that was just read anyway."""
    flow = Flow(0.0)
    flow.read(100_000, 0.001)
    assert flow.mark > 1
    assert not flow.tick(0.001 + TICK / 2)
    assert flow.tick(0.001 + TICK)
    assert flow.mark == 1


def test_quiet_stream_is_lowered_within_two_ticks():
    """Who waits for more bytes that do not come waits two ticks at most."""

    async def main():
        reader, loop = Reader(), asyncio.get_running_loop()
        with Coalescer().watch(reader, loop.time()) as note:
            for _ in range(100):
                await asyncio.sleep(0.001)
                note(2000, loop.time())
            raised = reader.marks[-1]
            await asyncio.sleep(2 * TICK)
            return raised, reader.marks[-1]

    raised, lowered = run(main())
    assert raised > 4096
    assert lowered == 1


def test_busy_streams_are_lowered_together_every_tick():
    """All steady streams are read at one wake-up, tick after tick."""

    async def main():
        coalescer, readers = Coalescer(), [Reader() for _ in range(3)]
        loop = asyncio.get_running_loop()
        with ExitStack() as stack:
            notes = [stack.enter_context(coalescer.watch(r, loop.time())) for r in readers]
            for _ in range(50):
                for reader, note in zip(readers, notes, strict=True):
                    note(50_000, loop.time())
                    reader.lowered.clear()
                async with asyncio.timeout(2 * TICK):
                    await asyncio.gather(*(reader.lowered.wait() for reader in readers))
        return loop.time() - 1000

    assert run(main()) == pytest.approx(50 * TICK, rel=0.1)


def test_no_timer_while_nothing_is_raised():
    """Quiet streams cost no wake-ups."""

    async def main():
        reader, loop = Reader(), asyncio.get_running_loop()
        with Coalescer().watch(reader, loop.time()) as note:
            note(10_000, loop.time())
            await asyncio.sleep(1)
            return reader.marks[-1], [timer for timer in loop._scheduled if not timer.cancelled()]

    assert run(main()) == (1, [])


def test_closed_stream_is_left_alone():
    """After its block a reader's socket is not touched again."""

    async def main():
        reader, loop = Reader(), asyncio.get_running_loop()
        with Coalescer().watch(reader, loop.time()) as note:
            note(10**6, loop.time())
        marks = list(reader.marks)
        await asyncio.sleep(1)
        return marks, reader.marks

    before, after = run(main())
    assert before[-1] > 1
    assert after == before
