"""Records into parcels, by what stands around them and by size. Pure."""

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from igpipe.sinks.ports import Frame, Parcel, Piece, Place, Refused, dead_letter


class Grouping:
    """
    Groups pieces by their frame, into parcels of at most *limit* bytes and *most* records.

    Records of one frame keep their order. One that is larger than a parcel is refused if *strict*,
    otherwise it goes alone. *extra* bytes are added to each record by its frame.
    """

    def __init__(self, limit: int, most: int, *, extra: int = 0, strict: bool) -> None:
        self._limit = limit
        self._most = most
        self._extra = extra
        self._strict = strict
        self._open: dict[Frame, _Group] = {}
        self._closed: list[Parcel] = []
        self.refused: Refused = []

    def add(self, piece: Piece, frame: Frame) -> None:
        """Add *piece* to the others of *frame*."""
        group = self._open.get(frame)
        if group is None:
            group = self._open[frame] = _Group(frame)
        size = piece.size() + self._extra * len(piece.rows)
        if group.size + size <= self._limit and group.count + len(piece.rows) <= self._most:
            group.add(piece, size)
        else:
            self._add_in_parts(piece, group)

    def parcels(self) -> list[Parcel]:
        """Close all groups and return their parcels."""
        for group in self._open.values():
            self._close(group)
        return self._closed

    def _add_in_parts(self, piece: Piece, group: "_Group") -> None:
        """Fill *group* with what fits, close it, and go on with the rest."""
        ends = [0, *accumulate(size + self._extra for size in piece.sizes())]
        begin = 0
        while begin < len(piece.rows):
            room = self._limit - group.size
            end = bisect_right(ends, ends[begin] + room) - 1
            end = min(end, begin + self._most - group.count)
            if end == begin and not group.pieces:  # not even one fits
                end = begin + 1
                if self._strict:
                    self.refused.append((Place(piece.taken, piece.rows[begin]), TOO_LARGE))
                    begin = end
                    continue
            if end > begin:
                group.add(piece.cut(begin, end), ends[end] - ends[begin])
            if end < len(piece.rows):
                self._close(group)
            begin = end

    def _close(self, group: "_Group") -> None:
        if group.pieces:
            self._closed.append(Parcel(tuple(group.pieces), group.frame))
        group.pieces.clear()
        group.size, group.count = group.room, 0


class _Group:
    """The open parcel of one frame."""

    __slots__ = ("count", "frame", "pieces", "room", "size")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.pieces: list[Piece] = []
        self.room = self.size = frame.room()
        self.count = 0

    def add(self, piece: Piece, size: int) -> None:
        """Add what fits."""
        self.pieces.append(piece)
        self.size += size
        self.count += len(piece.rows)


ALL: Final = 10**9
"""More records than any parcel holds."""
TOO_LARGE: Final = dead_letter("too_large", "longer than a request may be")
