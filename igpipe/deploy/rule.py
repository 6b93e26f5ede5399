"""One rule of admission. Pure."""

from dataclasses import dataclass
from typing import Final

INVALID: Final = "Invalid"
FORBIDDEN: Final = "Forbidden"


@dataclass(frozen=True, slots=True)
class Rule:
    """
    What must hold, and what is said when it does not.

    ``expression`` and ``detail`` are CEL; ``detail`` names what was found, for ``message`` alone
    says what is allowed only. ``reason`` decides the status: 422 or 403.
    """

    name: str
    expression: str
    message: str
    detail: str = ""
    reason: str = INVALID

    @property
    def message_expression(self) -> str:
        """The CEL that writes the whole message; empty where the plain one says all."""
        if not self.detail:
            return ""
        escaped = self.message.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}; got " + {self.detail}'


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules for some operations on some resources, with the CEL variables that they share."""

    name: str
    about: str
    operations: tuple[str, ...]
    resources: tuple[str, ...]
    rules: tuple[Rule, ...]
    variables: tuple[tuple[str, str], ...] = ()
