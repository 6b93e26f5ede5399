"""One rule of admission. Pure."""

from dataclasses import dataclass
from typing import Final

from igpipe.deploy.cel import literal

INVALID: Final = "Invalid"
FORBIDDEN: Final = "Forbidden"


@dataclass(frozen=True, slots=True)
class Rule:
    """
    What must hold, and what is said when it does not.

    ``expression``, ``told`` and ``detail`` are CEL: ``told`` is ``message`` with the values that
    the policy's variables hold, ``detail`` names what was found. ``reason`` decides the status:
    422 or 403. None of them depends on the configuration; the variables do.
    """

    name: str
    expression: str
    message: str
    detail: str = ""
    told: str = ""
    reason: str = INVALID

    @property
    def message_expression(self) -> str:
        """The CEL that writes the whole message; empty where the plain one says all."""
        if not self.detail:
            return self.told
        return f'{self.told or literal(self.message)} + "; got " + {self.detail}'


@dataclass(frozen=True, slots=True)
class Policy:
    """
    Rules for some operations on some resources, with the CEL variables that they share.

    ``name`` comes after the sessions' namespace.
    """

    name: str
    about: str
    operations: tuple[str, ...]
    resources: tuple[str, ...]
    rules: tuple[Rule, ...]
    variables: tuple[tuple[str, str], ...] = ()
