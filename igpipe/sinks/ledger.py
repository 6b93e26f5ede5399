"""What became of each record of one round, until it is told to the spool. Pure."""

from collections.abc import Iterator, Sequence

from igpipe.model import Batch
from igpipe.record import line
from igpipe.sinks.parcel import Parcel, Place
from igpipe.sinks.ports import Verdict
from igpipe.spool import Reader, RecordOutcome, Taken


class Ledger:
    """Holds the records that were *taken*; each gets at most one outcome, the others go back."""

    def __init__(self, taken: Sequence[Taken]) -> None:
        self._taken = taken
        self._outcomes: list[list[RecordOutcome | None]] = [
            [None] * each.batch.count for each in taken
        ]

    @property
    def batches(self) -> list[Batch]:
        """What was taken."""
        return [each.batch for each in self._taken]

    def note_all(self, parcel: Parcel, outcome: RecordOutcome) -> None:
        """Write down the same *outcome* for all records of *parcel*."""
        for piece in parcel.pieces:
            rows, outcomes = piece.rows, self._outcomes[piece.taken]
            if isinstance(rows, range):  # most are: all of a batch, or a part
                outcomes[rows.start : rows.stop] = [outcome] * len(rows)
                continue
            for row in rows:
                outcomes[row] = outcome

    def note(self, place: Place, verdict: Verdict) -> None:
        """Write down what became of one record."""
        self._outcomes[place.taken][place.row] = verdict.outcome

    def line(self, place: Place) -> bytes:
        """Return a record as a line."""
        return line(self._taken[place.taken].batch, place.row)

    def acknowledged(self) -> Iterator[Batch]:
        """List the batches of which the sink has something now."""
        for taken, outcomes in zip(self._taken, self._outcomes, strict=True):
            if RecordOutcome.DELIVERED in outcomes or RecordOutcome.DUPLICATE in outcomes:
                yield taken.batch

    def settle(self, reader: Reader) -> None:
        """Tell *reader* what is known, and put back the rest."""
        reader.settle(*zip(self._taken, self._outcomes, strict=True))
