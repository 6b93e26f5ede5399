"""What ``doctor`` finds, and how a version is told older than another. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from igpipe.text import safe

_NAMES = 5
BUSY = "the API server is out of reach or overloaded: try again"
"""What to do where it did not say no, only not yes."""


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``doctor``; *remedy* says what to do about it."""

    level: Level
    what: str
    remedy: str = ""


def ok(what: str) -> Finding:
    """Find something as it should be."""
    return Finding(Level.OK, what)


def warning(what: str, remedy: str) -> Finding:
    """Find something that costs quality."""
    return Finding(Level.WARNING, what, remedy)


def failure(what: str, remedy: str) -> Finding:
    """Find something that keeps igpipe from its job."""
    return Finding(Level.FAILURE, what, remedy)


def older(version: str, major: int, minor: int) -> bool:
    """Tell whether a version (``v1.28.3-eks-1``) is below another; not, if it cannot be read."""
    match = re.match(r"v?(\d{1,6})\.(\d{1,6})", version)
    return match is not None and (int(match[1]), int(match[2])) < (major, minor)


def some(names: list[str]) -> str:
    """List a few names of many."""
    listed = ", ".join(safe(name, 63) for name in sorted(names)[:_NAMES])
    more = len(names) - _NAMES
    return f"{listed} and {more} more" if more > 0 else listed


def told(error: Exception) -> str:
    """Write an error's message, which may quote a cluster or a node."""
    return safe(str(error), 400) or type(error).__name__
