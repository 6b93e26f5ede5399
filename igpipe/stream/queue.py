"""The bounded, fair queue between the readers of logs and the one that handles their lines."""

import asyncio
from collections import deque
from collections.abc import Hashable
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from igpipe.model import Block, Dropped, StreamItem

K = TypeVar("K", bound=Hashable)

FULL: Final = "queue_full"
CLOSED: Final = "closed"
_OVERHEAD: Final = 128  # what a waiting block costs beside its bytes
_SHARE: Final = 8


class FairQueue(Generic[K]):
    """
    Items of many streams for one consumer, who gets them in turn: one of each stream that has any.

    Bounded in bytes: *stream_bytes* a stream, *total_bytes* in all (``capacity``; ``size`` is what
    waits). Offering never waits and reading goes on: a block that finds no room becomes a
    ``Dropped`` in its place, to which the following ones are added; ``dropped`` counts their
    lines. A stream may hold at most eight times what is still free, so that the last room is not
    taken by those who have the most already. An empty queue takes a block of any size, and a
    stream that holds nothing one that fits in all, or the longest lines could never pass.
    """

    def __init__(self, total_bytes: int, stream_bytes: int) -> None:
        self.capacity = total_bytes
        self.size = 0
        self.dropped = 0
        self._stream_bytes = stream_bytes
        self._ready: deque[Port[K]] = deque()
        self._wake = asyncio.Event()

    def open(self, key: K) -> "Port[K]":
        """Open a stream's way in; its items come out with *key*."""
        return Port(self, key)

    async def take(self) -> tuple[K, StreamItem]:
        """
        Wait for the next item.

        Does not suspend while items wait: the consumer itself must let others run.
        """
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        port = self._ready.popleft()
        item = port._take()
        if port._items:
            self._ready.append(port)
        return port.key, item

    def _admits(self, cost: int, held: int) -> bool:
        free = self.capacity - self.size
        if not held:
            return cost <= free or not self.size
        return cost <= free and held + cost <= min(self._stream_bytes, free * _SHARE)


class Port(Generic[K]):
    """One stream's way into the queue; as a block, closed at its end."""

    def __init__(self, queue: FairQueue[K], key: K) -> None:
        self.key = key
        self.size = 0
        self._queue = queue
        self._items: deque[StreamItem] = deque()
        self._closed = False

    def offer(self, item: StreamItem) -> None:
        """Put *item* behind the stream's others; a block for which there is no room is counted."""
        if self._closed:
            raise ValueError(f"stream {self.key!r} is closed")
        if isinstance(item, Block):
            item = self._admit(item)
        if not self._items:
            self._queue._ready.append(self)
            self._queue._wake.set()
        last = self._items[-1] if self._items else None
        if isinstance(item, Dropped) and isinstance(last, Dropped) and item.reason == last.reason:
            self._items[-1] = Dropped(last.lines + item.lines, last.size + item.size, item.reason)
        else:
            self._items.append(item)

    def close(self) -> list[Dropped]:
        """
        Let nothing more in or out, and return what still waited, for the account.

        Close after ``End`` was taken; closing earlier throws away what waits.
        """
        if self._items:
            self._queue._ready.remove(self)
        self._queue.size -= self.size
        refused = [_refused(i, CLOSED) if isinstance(i, Block) else i for i in self._items]
        self._items.clear()
        self.size, self._closed = 0, True
        return [item for item in refused if isinstance(item, Dropped)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def _admit(self, block: Block) -> Block | Dropped:
        cost = _cost(block)
        if not self._queue._admits(cost, self.size):
            refused = _refused(block, FULL)
            self._queue.dropped += refused.lines
            return refused
        self._account(cost)
        return block

    def _take(self) -> StreamItem:
        item = self._items.popleft()
        if isinstance(item, Block):
            self._account(-_cost(item))
        return item

    def _account(self, cost: int) -> None:
        self.size += cost
        self._queue.size += cost


def _cost(block: Block) -> int:
    return len(block.data) + _OVERHEAD


def _refused(block: Block, reason: str) -> Dropped:
    lines = block.data.count(b"\n") + (not block.data.endswith(b"\n"))
    return Dropped(lines, len(block.data), reason)
