"""Records as they are, a line each: what files and streams of NDJSON get. Pure."""

from collections.abc import Sequence
from typing import Final

from igpipe.model import Batch
from igpipe.sinks.ports import Frame, Item, Join, Parcel, Verdict, dead_letter


class Grouping:
    """
    Groups items by their frame, into parcels of at most *limit* bytes.

    Items of one frame keep their order. One that is larger than a parcel is refused if *strict*,
    otherwise it goes alone. *extra* bytes are added to each item by its frame.
    """

    def __init__(self, limit: int, *, extra: int = 0, strict: bool) -> None:
        self._limit = limit
        self._extra = extra
        self._strict = strict
        self._open: dict[Frame, _Group] = {}
        self._last = _Group(Join())  # nobody else has this frame
        self._closed: list[Parcel] = []
        self.refused: list[tuple[Item, Verdict]] = []

    def add(self, item: Item, frame: Frame) -> None:
        """Add *item* to the others of *frame*."""
        size = len(item[2]) + self._extra  # by position: this is done for every record
        group = self._last
        if group.frame is not frame:
            group = self._group(frame)
        if group.size + size > self._limit:
            if self._strict and group.room + size > self._limit:
                self.refused.append((item, TOO_LARGE))
                return
            if group.items:
                self._close(group)
        group.items.append(item)
        group.size += size

    def parcels(self) -> list[Parcel]:
        """Close all groups and return their parcels."""
        for group in self._open.values():
            if group.items:
                self._close(group)
        return self._closed

    def _group(self, frame: Frame) -> "_Group":
        if frame not in self._open:
            self._open[frame] = _Group(frame)
        self._last = self._open[frame]
        return self._last

    def _close(self, group: "_Group") -> None:
        self._closed.append(Parcel(tuple(group.items), group.frame))
        group.items.clear()
        group.size = group.room


class LinePacker:
    """Packs records unchanged, all in one group; see Packer."""

    def __init__(self, limit_bytes: int) -> None:
        self._grouping = Grouping(limit_bytes, strict=False)

    def add(self, taken: int, batch: Batch, lines: Sequence[bytes]) -> None:
        """Add the records of a batch."""
        for index, line in enumerate(lines):
            self._grouping.add(Item(taken, index, line + b"\n"), _LINES)

    def refused(self) -> list[tuple[Item, Verdict]]:
        """Return none: a record that is longer than the limit is written alone."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return the parcels to write."""
        return self._grouping.parcels()


class _Group:
    """The open parcel of one frame."""

    __slots__ = ("frame", "items", "room", "size")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.items: list[Item] = []
        self.room = self.size = frame.room()


TOO_LARGE: Final = dead_letter("too_large", "longer than a request may be")
_LINES: Final = Join()
