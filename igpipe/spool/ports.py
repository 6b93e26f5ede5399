"""What a spool is to those who fill it and to those who read it, whatever it is kept in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from igpipe.model import Batch, Source


class RecordOutcome(StrEnum):
    """What can become of a record that a sink was given; until then it is pending."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"  # the sink says that it had it already
    DEAD_LETTERED = "dead_lettered"  # the sink will never take it
    EXPIRED = "expired"  # it grew too old before the sink took it
    EVICTED = "evicted"  # newer records needed its room


@dataclass(slots=True)
class Account:
    """
    The account of one sink's records.

    ``recovered + forwarded = delivered + duplicate + dead_lettered + expired + evicted + pending``
    holds at all times; ``recovered`` is what was found in the spool at start.
    """

    recovered: int = 0
    forwarded: int = 0
    delivered: int = 0
    duplicate: int = 0
    dead_lettered: int = 0
    expired: int = 0
    evicted: int = 0
    pending: int = 0

    def balanced(self) -> bool:
        """Tell whether every record is accounted for."""
        ended = self.delivered + self.duplicate + self.dead_lettered + self.expired + self.evicted
        return self.recovered + self.forwarded == ended + self.pending


Outcomes = Sequence[RecordOutcome | None]
"""What became of the records of a batch, one after another; None of those to be sent again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch in the hands of a sink; *position* is its place in the log, and rises."""

    position: int
    batch: Batch


def tally(taken: Taken, outcomes: Outcomes) -> tuple[dict[RecordOutcome, int], list[int]]:
    """
    Count what became of *taken*, and list which of its records go back.

    ValueError if there is not one outcome for each.
    """
    if len(outcomes) != taken.batch.count:
        raise ValueError(f"{len(outcomes)} outcomes for {taken.batch.count} records")
    if outcomes and outcomes[0] is not None and outcomes.count(outcomes[0]) == len(outcomes):
        return {outcomes[0]: len(outcomes)}, []  # so it is nearly always
    counts = {outcome: count for outcome in RecordOutcome if (count := outcomes.count(outcome))}
    if sum(counts.values()) == len(outcomes):
        return counts, []
    return counts, [row for row, outcome in enumerate(outcomes) if outcome is None]


class Reader(Protocol):
    """
    One sink's view of the log: its cursor, its account.

    What was taken is out of reach of the spool's bounds until it is settled. So nothing is taken
    for longer than a request lasts: a sink that has to wait puts back what it could not deliver.
    """

    @property
    def account(self) -> Account:
        """What became of this sink's records so far; live, for reading only."""
        ...

    @property
    def oldest(self) -> float | None:
        """When (unix seconds) the oldest pending batch was appended; None if none is pending."""
        ...

    @property
    def pending_bytes(self) -> int:
        """How many bytes of records are pending."""
        ...

    async def filled(self) -> None:
        """Wait until there is something to take."""
        ...

    async def take(self, limit_bytes: int, now: float) -> list[Taken]:
        """
        Wait for batches and take the oldest, up to *limit_bytes* but at least one.

        Those that are too old at *now* (unix seconds) expire instead.
        """
        ...

    def settle(self, *settled: tuple[Taken, Outcomes]) -> None:
        """
        Say of batches what became of each record, in order; those without an outcome go back.

        They are taken again before anything newer. ValueError if there is not one for each.
        """
        ...

    async def drained(self) -> None:
        """Wait until nothing is pending."""
        ...


class Spool(Protocol):
    """Takes batches once and keeps them until every sink has passed them, within its bounds."""

    def append(self, batch: Batch, now: float) -> None:
        """Add *batch* at *now* (unix seconds); the bounds may end the oldest batches. No wait."""
        ...

    def reader(self, sink: str, wants: Callable[[Source], bool]) -> Reader:
        """Begin the cursor of *sink*; it gets the batches whose source it *wants*."""
        ...
