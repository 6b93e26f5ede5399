"""Events, and the records that they become. Pure."""

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import methodcaller
from typing import Any, Final, overload

from igpipe.model.session import Source

Event = dict[str, Any]
"""One decoded object of a gadget; lives for the handling of one line."""

Shown = Callable[[Event, bytes], None]
"""Gets an event, redacted, and its record (a line)."""

RECORD_BYTES: Final = 64
"""About what a record takes beside its event: its numbers, and its part of the labels."""
NO_PID: Final = -1
"""Stands where a record's shared labels are all that it has."""


class Lines(Sequence[bytes]):
    """
    Lines without their newlines, kept as *pieces* of text, and each made when it is read.

    Who reads them one after another has each in the cache, where a list of them would be as large
    as the text again. To find a single one takes as long as to read all. Each piece ends with a
    newline; *count* is how many there are.
    """

    __slots__ = ("_count", "pieces")

    def __init__(self, pieces: Sequence[bytes], count: int) -> None:
        self.pieces = pieces
        self._count = count

    @classmethod
    def of(cls, lines: Collection[bytes]) -> "Lines":
        """Keep *lines*, none of which has a newline."""
        return cls([b"\n".join((*lines, b""))], len(lines))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return map(_without_newline, self.ended())

    def ended(self) -> Iterator[bytes]:
        """Give each with its newline, for who does not mind: that spares a copy."""
        return chain.from_iterable(map(io.BytesIO, self.pieces))

    @overload
    def __getitem__(self, key: int) -> bytes: ...
    @overload
    def __getitem__(self, key: slice) -> list[bytes]: ...
    def __getitem__(self, key: int | slice) -> bytes | list[bytes]:
        return [*self][key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lines) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]  # as that of a list

    @property
    def size(self) -> int:
        """How many bytes they have together."""
        return sum(map(len, self.pieces)) - self._count


_without_newline: Final = methodcaller("removesuffix", b"\n")


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Records of one stream, in order, by column: what the spool stores and sinks read.

    ``seqs`` are the records' numbers, ``times`` integer unix nanoseconds, ``events`` JSON objects.
    ``shared`` are their labels but the pid (namespace, pod, container, comm, uid; strings, none
    empty, by the same names for every gadget), which many records share: the beginning of a JSON
    object up to the pid, which ``pids`` hold; with NO_PID it is all of it.

    ``first_seq`` names the batch among those of its stream, also when only some of its records are
    left.
    """

    source: Source
    weight: float
    seqs: Sequence[int]
    times: Sequence[int]
    shared: Sequence[bytes]
    pids: Sequence[int]
    events: Lines
    first_seq: int = -1
    size: int = field(init=False)
    """About how many bytes all that takes."""
    first_time: int = field(init=False)
    """The smallest time."""
    last_time: int = field(init=False)
    """The largest time."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", self.events.size + RECORD_BYTES * self.count)
        object.__setattr__(self, "first_time", min(self.times))
        object.__setattr__(self, "last_time", max(self.times))
        if self.first_seq < 0:
            object.__setattr__(self, "first_seq", self.seqs[0])

    @property
    def count(self) -> int:
        """How many records there are."""
        return len(self.seqs)

    def select(self, rows: Sequence[int]) -> "Batch":
        """Make a batch of some of its records."""
        [batch] = self.split([rows])
        return batch

    def split(self, parts: Collection[Sequence[int]]) -> list["Batch"]:
        """Make batches, each of the records in some rows, in order; one of all rows is this one."""
        if [*map(len, parts)] == [self.count]:
            return [self]
        events = [*self.events]
        return [self._some(rows, events) for rows in parts]

    def _some(self, rows: Sequence[int], events: Sequence[bytes]) -> "Batch":
        return Batch(
            self.source,
            self.weight,
            [self.seqs[row] for row in rows],
            [self.times[row] for row in rows],
            [self.shared[row] for row in rows],
            [self.pids[row] for row in rows],
            Lines.of([events[row] for row in rows]),
            self.first_seq,
        )
