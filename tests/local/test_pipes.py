"""Lines out of pipes: whole, apart, bounded and counted."""

import asyncio
import os
import time
from collections.abc import Sequence

from igpipe.errors import NotFound
from igpipe.model import Block, ContainerState, Dropped, End, EndKind, Phase, StreamItem
from igpipe.stream import FairQueue, Outlet, PipeFollower, Port, Stream
from igpipe.stream.pipes import PIECE_BYTES
from tests import virtual

LIMIT = 1000


class Process:
    """Stands for a process with two pipes, of which the test holds the other ends."""

    pod = "p"
    name = "c"

    def __init__(self, exit_code: int = 0) -> None:
        self.items: list[StreamItem] = []
        self.port: Outlet = self
        self.ends = [os.pipe(), os.pipe()]
        self._exit_code = exit_code

    def take_pipes(self, pod: str, container: str) -> Sequence[int]:
        if (pod, container) != (self.pod, self.name):
            raise NotFound(pod)
        return [output for output, _ in self.ends]

    def offer(self, item: StreamItem) -> None:
        self.items.append(item)

    def state(self) -> ContainerState:
        return ContainerState(self.name, Phase.TERMINATED, exit_code=self._exit_code)

    async def terminated(self) -> ContainerState:
        return self.state()

    def close(self) -> None:
        for _, into in self.ends:
            os.close(into)

    async def follow(self, limit: int = LIMIT) -> End:
        stream = Stream(1, self, self.port, lambda line: None, limit)
        return await PipeFollower(self, time.time).follow(stream)

    @property
    def data(self) -> bytes:
        return b"".join(item.data for item in self.items if isinstance(item, Block))


def test_output_and_log_do_not_break_each_others_lines() -> None:
    """Half a line of one waits for its rest, whatever the other says meanwhile."""

    async def main() -> None:
        process = Process()
        (_, output), (_, log) = process.ends
        async with asyncio.TaskGroup() as group:
            following = group.create_task(process.follow())
            os.write(output, b'{"a":')
            await asyncio.sleep(1)
            os.write(log, b"level=debug\nlevel=")
            await asyncio.sleep(1)
            os.write(output, b"1}\n")
            await asyncio.sleep(1)
            process.close()
        assert following.result().kind is EndKind.CLEAN
        assert process.data == b'level=debug\n{"a":1}\nlevel=\n'

    virtual.run(main())


def test_much_is_cut_into_pieces_of_whole_lines() -> None:
    """What is read at once is handled piece by piece, in order."""

    async def main() -> None:
        process = Process()
        lines = b"".join(b"%06d%s\n" % (i, b"x" * (i % 90)) for i in range(1200))
        async with asyncio.TaskGroup() as group:
            group.create_task(process.follow())
            for start in range(0, len(lines), 10_000):
                os.write(process.ends[0][1], lines[start : start + 10_000])
            process.close()
        blocks = [item.data for item in process.items if isinstance(item, Block)]
        assert process.data == lines
        assert all(block.endswith(b"\n") for block in blocks)
        assert max(map(len, blocks)) <= PIECE_BYTES + LIMIT

    virtual.run(main())


def test_a_line_that_is_too_long_is_dropped_and_counted() -> None:
    """Neither a long line nor one that never ends is kept."""

    async def main() -> None:
        process = Process(exit_code=3)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(process.follow())
            os.write(process.ends[0][1], b"a\n" + b"b" * 2000 + b"\nc\n" + b"d" * 1500)
            process.close()
        assert (following.result().kind, following.result().exit_code) == (EndKind.ERROR, 3)
        assert process.data == b"a\nc\n"
        dropped = [item for item in process.items if isinstance(item, Dropped)]
        assert sum(item.lines for item in dropped) == 2
        assert sum(item.size for item in dropped) == 2001 + 1500

    virtual.run(main())


def test_reading_does_not_wait_for_who_handles_lines() -> None:
    """With a queue that nobody empties all is read at once, and what found no room is counted."""
    line, count = b"x" * 999 + b"\n", 50_000

    async def main() -> None:
        queue: FairQueue[int] = FairQueue(2**20, 2**18)
        process = Process()
        with queue.open(1) as port:
            process.port = port
            async with asyncio.TaskGroup() as group:
                group.create_task(process.follow())
                await asyncio.to_thread(write_all, process.ends[0][1], line * count)
                process.close()
            assert queue.size <= 2**18
            assert 0 < queue.dropped < count
            waiting = sum(item.data.count(b"\n") for item in taken(port) if isinstance(item, Block))
            assert waiting + queue.dropped == count

    virtual.run(main())


def test_a_process_that_is_gone_is_a_lost_stream() -> None:
    """Without pipes there is an end, and nothing else."""

    async def main() -> None:
        process = Process()
        process.name = "another"
        stream = Stream(1, process, process, lambda line: None, LIMIT)
        process.pod = "q"
        follower = PipeFollower(_Nothing(), time.time)
        assert (await follower.follow(stream)).kind is EndKind.LOST
        assert [type(item) for item in process.items] == [End]
        process.close()
        for output, _ in process.ends:
            os.close(output)

    virtual.run(main())


def test_cut_off_it_leaves_an_end_and_closes_the_pipes() -> None:
    """Cancelled, the follower says CUT; the process loses its readers."""

    async def main() -> None:
        process = Process()
        try:
            async with asyncio.timeout(1):
                await process.follow()
        except TimeoutError:
            pass
        assert [item.kind for item in process.items if isinstance(item, End)] == [EndKind.CUT]
        for _, into in process.ends:
            try:
                os.write(into, b"x")
            except BrokenPipeError:
                os.close(into)

    virtual.run(main())


class _Nothing:
    def take_pipes(self, pod: str, container: str) -> Sequence[int]:
        raise NotFound(f"{pod} {container}")


def write_all(fd: int, data: bytes) -> None:
    """Write as a process does: waiting as long as the pipe is full."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def taken(port: Port[int]) -> list[StreamItem]:
    """Look at what waits in *port*."""
    return list(port._items)
