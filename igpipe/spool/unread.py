"""What of the log a sink has not read yet, by segment. Pure."""

from collections.abc import Iterator

from igpipe.spool.segment import Segment


class Unread:
    """Records and bytes of the segments that have some, in the log's order."""

    def __init__(self) -> None:
        self._records: dict[Segment, int] = {}
        self._sizes: dict[Segment, int] = {}

    def __bool__(self) -> bool:
        return bool(self._records)

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._records)

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(self._sizes.values())

    def records(self, segment: Segment) -> int:
        """Tell how many records are unread in *segment*."""
        return self._records.get(segment, 0)

    def add(self, segment: Segment, records: int, size: int) -> None:
        """Add what was appended to *segment*."""
        self._records[segment] = self.records(segment) + records
        self._sizes[segment] = self._sizes.get(segment, 0) + size

    def read(self, segment: Segment, records: int, size: int) -> int:
        """Take off what was read; return how many of the records were not known of."""
        known = self.records(segment)
        self._records[segment] = max(0, known - records)
        self._sizes[segment] = max(0, self._sizes.get(segment, 0) - size)
        return max(0, records - known)

    def forget(self, segment: Segment) -> int:
        """Leave a segment behind; return how many of its records were unread."""
        self._sizes.pop(segment, None)
        return self._records.pop(segment, 0)
