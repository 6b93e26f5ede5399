"""The low-water mark follows the rate, and never leaves a quiet stream stuck."""

import asyncio

import pytest

from igpipe.stream.coalesce import TICK, Coalescer, Flow
from igpipe.tasks import background
from tests.virtual import run


class Reader:
    """Remembers the marks it was given."""

    def __init__(self) -> None:
        self.marks = [1]

    async def read(self) -> bytes:
        return b""

    def set_low_water(self, size: int) -> None:
        self.marks.append(size)


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
        coalescer, reader, loop = Coalescer(), Reader(), asyncio.get_running_loop()
        async with background(coalesce=coalescer.run):
            with coalescer.watch(reader, loop.time()) as note:
                for _ in range(100):
                    await asyncio.sleep(0.001)
                    note(2000, loop.time())
                raised = reader.marks[-1]
                await asyncio.sleep(2 * TICK)
                return raised, reader.marks[-1]

    raised, lowered = run(main())
    assert raised > 4096
    assert lowered == 1


def test_ticker_sleeps_while_nothing_is_raised():
    """Quiet streams cost no wake-ups."""

    async def main():
        coalescer, reader, loop = Coalescer(), Reader(), asyncio.get_running_loop()
        async with background(coalesce=coalescer.run):
            await asyncio.sleep(0)
            with coalescer.watch(reader, loop.time()) as note:
                note(10_000, loop.time())
                await asyncio.sleep(1)
            timers = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
            return reader.marks[-1], timers

    assert run(main()) == (1, [])


def test_nothing_is_raised_without_a_ticker():
    """A mark that nobody would lower again is not set."""

    async def main():
        reader = Reader()
        with Coalescer().watch(reader, 0.0) as note:
            note(10**6, 0.001)
        return reader.marks

    assert run(main()) == [1]


def test_stopping_lowers_every_mark():
    """When the ticker goes, streams fall back to plain reads."""

    async def main():
        coalescer, reader, loop = Coalescer(), Reader(), asyncio.get_running_loop()
        with coalescer.watch(reader, loop.time()) as note:
            async with background(coalesce=coalescer.run):
                await asyncio.sleep(0)
                note(10**6, loop.time() + 0.001)
            note(10**6, loop.time() + 0.002)
        return reader.marks

    marks = run(main())
    assert max(marks) > 1
    assert marks[-1] == 1
