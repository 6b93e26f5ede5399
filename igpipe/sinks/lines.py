"""Records as they are, a line each: what files and streams of NDJSON get. Pure."""

from collections.abc import Sequence
from typing import Final

from igpipe.sinks.ports import Item, Parcel, Verdict, dead_letter


class Grouping:
    """
    Groups items by what stands around them, into parcels of at most *limit* bytes.

    Items of one group keep their order. One that is larger than a parcel is refused if *strict*,
    otherwise it goes alone.
    """

    def __init__(self, limit: int, *, between: bytes = b"", strict: bool) -> None:
        self._limit = limit
        self._between = between
        self._strict = strict
        self._open: dict[tuple[bytes, bytes], list[Item]] = {}
        self._sizes: dict[tuple[bytes, bytes], int] = {}
        self._closed: list[Parcel] = []
        self.refused: list[tuple[Item, Verdict]] = []

    def add(self, item: Item, head: bytes = b"", tail: bytes = b"") -> None:
        """Add *item* to the group of those with the same *head* and *tail*."""
        group = (head, tail)
        size = len(item.data) + len(self._between)
        around = len(head) + len(tail)
        if self._strict and around + size > self._limit:
            self.refused.append((item, TOO_LARGE))
            return
        if group in self._open and self._sizes[group] + size > self._limit:
            self._close(group)
        self._open.setdefault(group, []).append(item)
        self._sizes[group] = self._sizes.get(group, around) + size

    def parcels(self) -> list[Parcel]:
        """Close all groups and return their parcels."""
        for group in list(self._open):
            self._close(group)
        return self._closed

    def _close(self, group: tuple[bytes, bytes]) -> None:
        head, tail = group
        self._closed.append(Parcel(tuple(self._open.pop(group)), head, self._between, tail))
        del self._sizes[group]


class LinePacker:
    """Packs records unchanged, all in one group; see Packer."""

    def __init__(self, limit_bytes: int) -> None:
        self._grouping = Grouping(limit_bytes, strict=False)

    def add(self, taken: int, lines: Sequence[bytes]) -> None:
        """Add the records of a batch."""
        for index, line in enumerate(lines):
            self._grouping.add(Item(taken, index, line + b"\n"))

    def refused(self) -> list[tuple[Item, Verdict]]:
        """Return none: a record that is longer than the limit is written alone."""
        return self._grouping.refused

    def parcels(self) -> list[Parcel]:
        """Return the parcels to write."""
        return self._grouping.parcels()


TOO_LARGE: Final = dead_letter("too_large", "longer than a request may be")
