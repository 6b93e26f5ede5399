"""How a sink is doing: what the status page shows of it."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from igpipe.spool import Account, Reader


class SinkState(StrEnum):
    """What a sender is at."""

    WORKING = "working"  # delivers, or has nothing to deliver
    RETRYING = "retrying"  # the sink is out of reach or overloaded
    HELD = "held"  # the sink refuses us: somebody has to act
    STOPPED = "stopped"


class SinkStatus:
    """A live view of one sink; *wall* tells unix seconds."""

    def __init__(self, name: str, kind: str, reader: Reader, wall: Callable[[], float]) -> None:
        self.name = name
        self.kind = kind
        self.state = SinkState.WORKING
        self.last_error = ""
        self.reasons: Mapping[str, int] = {}
        self._reader = reader
        self._wall = wall

    @property
    def account(self) -> Account:
        """What became of the sink's records."""
        return self._reader.account

    @property
    def lag_bytes(self) -> int:
        """How many bytes of batches wait."""
        return self._reader.pending_bytes

    def lag(self) -> float:
        """Tell how many seconds the oldest pending record waits."""
        oldest = self._reader.oldest
        return 0.0 if oldest is None else max(0.0, self._wall() - oldest)

    def as_dict(self) -> dict[str, Any]:
        """Return everything, with strings that are safe to show."""
        account = self.account
        return {
            "name": self.name,
            "type": self.kind,
            "state": self.state.value,
            "recovered": account.recovered,
            "forwarded": account.forwarded,
            "pending": account.pending,
            "delivered": account.delivered,
            "duplicate": account.duplicate,
            "dead_lettered": account.dead_lettered,
            "dead_letter_reasons": dict(self.reasons),
            "expired": account.expired,
            "evicted": account.evicted,
            "lag_seconds": round(self.lag(), 3),
            "lag_bytes": self.lag_bytes,
            "last_error": self.last_error,
        }
