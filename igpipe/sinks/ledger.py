"""What became of each record of one round, until it is told to the spool. Pure."""

from collections import Counter
from collections.abc import Sequence

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

    def note(self, item: Item, verdict: Verdict) -> None:
        """Write down what became of *item*."""
        self._outcomes[item.taken][item.index] = verdict.outcome

    def settle(self, reader: Reader) -> None:
        """Tell *reader* what is known, and put back the rest."""
        for taken, lines, outcomes in zip(self._taken, self.lines, self._outcomes, strict=True):
            known = Counter(outcome for outcome in outcomes if outcome is not None)
            if not known:
                reader.settle(taken, known, taken.batch.payload)
                continue
            rest = b"".join(
                b"%b\n" % line
                for line, outcome in zip(lines, outcomes, strict=True)
                if outcome is None
            )
            reader.settle(taken, known, rest)
