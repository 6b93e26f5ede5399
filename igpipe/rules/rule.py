"""What a rule of Prometheus is made of. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """
    How urgent an alert is.

    Critical: nothing is seen at all, or something privileged is where it should not be. Warning:
    igpipe sees less than it should, or loses some of it; that can wait for the morning.
    """

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Recording:
    """A series that is computed ahead; ``about`` says what it is, for people."""

    name: str
    expr: str
    about: str


@dataclass(frozen=True, slots=True)
class Alert:
    """
    What somebody is told of: *expr* has had a result for *wait* seconds.

    ``summary`` and ``description`` are Prometheus' templates.
    """

    name: str
    severity: Severity
    expr: str
    wait: float
    summary: str
    description: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, one after the other, every *interval* seconds."""

    name: str
    interval: float
    rules: tuple[Recording | Alert, ...]
