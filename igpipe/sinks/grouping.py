"""Records into parcels, by what stands around them and by size. Pure."""

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from igpipe.sinks.parcel import Body, Frame, Parcel, Piece, Place
from igpipe.sinks.ports import Refused, dead_letter


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
        if not piece.rows:
            return
        group = self._open.get(frame)
        if group is None:
            group = self._open[frame] = _Group(frame)
        size = piece.size() + self._extra * len(piece.rows)
        if 2 * group.size >= self._limit and not self._fits(group, piece, size):
            self._close(group)  # a smaller request costs less than to cut a piece
        if self._fits(group, piece, size):
            group.add(piece, size)
        else:
            self._add_in_parts(piece, group)

    def parcels(self) -> list[Parcel]:
        """Close all groups and return their parcels."""
        for group in self._open.values():
            self._close(group)
        return self._closed

    def _fits(self, group: "_Group", piece: Piece, size: int) -> bool:
        count = group.count + len(piece.rows)
        return group.size + size <= self._limit and count <= self._most

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
            self._closed.append(group.parcel())


class _Group:
    """The open parcel of one frame."""

    __slots__ = ("_body", "_frame", "count", "pieces", "size")
    _body: Body | None
    pieces: list[Piece]

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._begin()

    def add(self, piece: Piece, size: int) -> None:
        """Add what fits."""
        self.pieces.append(piece)
        self.size += size
        self.count += len(piece.rows)
        fresh = [piece]
        if self._body is None and self.size >= EAGER:
            self._body, fresh = self._frame.body(), self.pieces
        if self._body is not None:
            for each in fresh:
                self._body.add(each)

    def parcel(self) -> Parcel:
        """Return the parcel, and begin another."""
        packed = None if self._body is None else self._body.end()
        parcel = Parcel(tuple(self.pieces), self._frame, packed)
        self._begin()
        return parcel

    def _begin(self) -> None:
        self.pieces = []
        self.size, self.count = self._frame.room(), 0
        self._body = None


EAGER: Final = 2**17
"""
Bytes of a parcel that is compressed as it grows; one that stays smaller is when it is sent.

What compresses takes some 100 KiB of memory, and there may be thousands of frames.
"""
ALL: Final = 10**9
"""More records than any parcel holds."""
TOO_LARGE: Final = dead_letter("too_large", "longer than a request may be")
