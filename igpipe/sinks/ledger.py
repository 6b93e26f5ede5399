"""What became of each record of one round, until it is told to the spool. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from igpipe.model import Batch
from igpipe.sinks.ports import Item, Verdict
from igpipe.spool import Reader, RecordOutcome, Taken


class Ledger:
    """Holds the records that were *taken*; each gets at most one outcome, the others go back."""

    def __init__(self, taken: Sequence[Taken]) -> None:
        self._taken = taken
        # Not splitlines: a carriage return may stand inside a record.
        self.lines = [each.batch.payload.split(b"\n")[:-1] for each in taken]
        self._outcomes: list[list[RecordOutcome | None]] = [
            [None] * len(lines) for lines in self.lines
        ]

    def note_all(self, items: Sequence[Item], outcome: RecordOutcome) -> None:
        """Write down the same *outcome* for all *items*."""
        outcomes = self._outcomes
        for taken, row, *_ in items:
            outcomes[taken][row] = outcome

    def note(self, item: Item, verdict: Verdict) -> None:
        """Write down what became of *item*."""
        self._outcomes[item.taken][item.row] = verdict.outcome

    def batch(self, taken: int) -> Batch:
        """Return batch number *taken*."""
        return self._taken[taken].batch

    def line(self, item: Item) -> bytes:
        """Return the record of *item*."""
        return self.lines[item.taken][item.row]

    def acknowledged(self) -> Iterator[Batch]:
        """List the batches of which the sink has something now."""
        for taken, outcomes in zip(self._taken, self._outcomes, strict=True):
            if RecordOutcome.DELIVERED in outcomes or RecordOutcome.DUPLICATE in outcomes:
                yield taken.batch

    def settle(self, reader: Reader) -> None:
        """Tell *reader* what is known, and put back the rest."""
        for taken, lines, outcomes in zip(self._taken, self.lines, self._outcomes, strict=True):
            known = Counter(outcome for outcome in outcomes if outcome is not None)
            if known.total() == len(lines):
                reader.settle(taken, known)
            elif not known:
                reader.settle(taken, known, taken.batch.payload)
            else:
                rest = b"".join(
                    b"%b\n" % line
                    for line, outcome in zip(lines, outcomes, strict=True)
                    if outcome is None
                )
                reader.settle(taken, known, rest)
