"""A container's log file and its followers."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.sim.log import ContainerLog, Follower, stamped
from tests import virtual


class Wire(asyncio.Transport):
    """A connection that notes what is written, and is full when told so."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.full = False
        self.lost = False

    def write(self, data: Any) -> None:
        """Note a write."""
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        """Tell how much waits."""
        return 10**9 if self.full else 0

    def is_closing(self) -> bool:
        """Tell whether the client is gone."""
        return self.lost

    def abort(self) -> None:
        """Note an abort."""
        self.written.append(b"abort")


def log(*times: float, limit: int = 10**6) -> ContainerLog:
    """Write a line at each of *times*."""
    made = ContainerLog(limit)
    for number, at in enumerate(times):
        made.append([b"%d\n" % number], at)
    return made


def texts(made: ContainerLog, position: int) -> list[bytes]:
    """Read lines from a position."""
    return [line for _, line in made.read(position)]


@pytest.mark.parametrize(("since", "first"), [(None, 0), (9.0, 0), (10.9, 1), (11.0, 3), (99.0, 4)])
def test_since_is_inclusive_in_whole_seconds(since: float | None, first: int) -> None:
    """A replay holds all of the second that it begins in."""
    made = log(9.9, 10.1, 10.8, 11.0)
    assert made.position(since) == first


def test_rotation_hides_older_lines() -> None:
    """A new reader finds only what was written since the rotation."""
    made = log(1.0, 2.0)
    made.rotate()
    made.append([b"new\n"], 3.0)
    assert texts(made, made.position(0.0)) == [b"new\n"]
    assert texts(made, 0) == [b"new\n"]


def test_size_rotates() -> None:
    """A file over its limit is rotated, so the log holds no more than that."""
    made = log(*range(100), limit=20)
    assert sum(map(len, texts(made, 0))) <= 20
    assert made.end == 100


def test_gap_cannot_be_read() -> None:
    """Lines in a lost span are gone, later ones are there."""
    made = log(1.0)
    made.lose(until=5.0)
    made.append([b"lost\n"], 4.0)
    made.append([b"later\n"], 6.0)
    assert texts(made, 0) == [b"later\n"]
    assert made.missed == 1


@given(st.lists(st.lists(st.binary(max_size=9), max_size=4), max_size=8), st.integers(0, 5))
def test_follower_gets_each_line_once(batches: list[list[bytes]], early: int) -> None:
    """Whenever a follow begins, it gets every line of the file once, a chunk each."""

    async def main() -> None:
        made, wire = ContainerLog(10**6), Wire()
        for batch in batches[:early]:
            made.append(batch, 1.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(Follower(made, wire, 0, times=False).serve())
            await asyncio.sleep(0)
            for batch in batches[early:]:
                made.append(batch, 2.0)
            made.finish()
        lines = [line for batch in batches for line in batch]
        assert wire.written == [b"%x\r\n%b\r\n" % (len(line), line) for line in lines]

    virtual.run(main())


def test_slow_reader_gets_the_rest_later() -> None:
    """While the connection is full nothing is written; then all of it is, in order."""

    async def main() -> None:
        made, wire = ContainerLog(10**6), Wire()
        async with asyncio.TaskGroup() as group:
            group.create_task(Follower(made, wire, 0, times=False).serve())
            await asyncio.sleep(1)
            wire.full = True
            made.append([b"a\n", b"b\n"], 1.0)
            made.finish()
            await asyncio.sleep(1)
            assert wire.written == []
            wire.full = False
        assert wire.written == [b"2\r\na\n\r\n", b"2\r\nb\n\r\n"]

    virtual.run(main())


def test_nothing_is_written_to_who_is_gone() -> None:
    """A client that has closed its connection is written to no more."""

    async def main() -> None:
        made, wire = log(1.0), Wire()
        follower = Follower(made, wire, 0, times=False)
        wire.lost = True
        follower.pump()
        assert wire.written == []

    virtual.run(main())


@pytest.mark.parametrize(("clean", "last"), [(True, b"2\r\n0\n\r\n"), (False, b"abort")])
def test_cut_ends_a_follow(clean: bool, last: bytes) -> None:
    """A cut ends the follow: silently, or by breaking the connection."""

    async def main() -> None:
        made, wire = log(1.0), Wire()
        follower = Follower(made, wire, 0, times=False)
        async with asyncio.TaskGroup() as group:
            group.create_task(follower.serve())
            await asyncio.sleep(1)
            assert made.cut(clean=clean) == 1
        assert wire.written[-1] == last
        assert follower.broken is not clean
        assert made.cut(clean=clean) == 0

    virtual.run(main())


def test_kubelet_time() -> None:
    """A stamped line begins with nine digits of UTC."""
    assert stamped(1_800_000_000.5, b"x\n") == b"2027-01-15T08:00:00.500000000Z x\n"
