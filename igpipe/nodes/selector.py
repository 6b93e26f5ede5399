"""Label selectors as Kubernetes spells them (``pool=web,tier notin (db,cache),!gpu``). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from igpipe.errors import ConfigError

_COMMA: Final = re.compile(r",(?![^()]*\))")  # not one within (a,b)
_BARE: Final = r"[^\s=!(),]"
_SET: Final = re.compile(r"(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL: Final = re.compile(rf"(?P<key>{_BARE}+)\s*(?P<operator>==|=|!=)\s*(?P<values>{_BARE}*)")
_EXISTS: Final = re.compile(rf"(?P<operator>!?)\s*(?P<key>{_BARE}+)")
_NAME: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY: Final = re.compile(rf"(?:[a-z0-9](?:[-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}")
_VALUE: Final = re.compile(rf"(?:{_NAME})?")
_NEGATIVE: Final = {"!=", "notin", "!"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """
    One term of a selector.

    Without *values* the label must exist (or, *negative*, must not). A negative term with values
    also holds for nodes that lack the label, as in Kubernetes.
    """

    key: str
    values: frozenset[str] | None
    negative: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether *labels* fulfil this term."""
        label = labels.get(self.key)
        found = label is not None and (self.values is None or label in self.values)
        return found is not self.negative


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """
    Read a label selector; an empty one selects everything.

    Raises ConfigError that names the term at fault.
    """
    return tuple(_requirement(term.strip()) for term in _COMMA.split(text)) if text.strip() else ()


def _requirement(term: str) -> Requirement:
    match = _SET.fullmatch(term) or _EQUAL.fullmatch(term) or _EXISTS.fullmatch(term)
    if match is None:
        raise _fault(term, "key=value, key!=value, key in (a,b), key notin (a,b), key or !key")
    if not _KEY.fullmatch(match["key"]):
        raise _fault(term, f"a label key, got {match['key']!r}")
    listed = match.groupdict().get("values")
    values = None if listed is None else frozenset(value.strip() for value in listed.split(","))
    for value in values or ():
        if not _VALUE.fullmatch(value):
            raise _fault(term, f"a label value, got {value!r}")
    return Requirement(match["key"], values, match["operator"] in _NEGATIVE)


def _fault(term: str, expected: str) -> ConfigError:
    return ConfigError(f"nodes.selector: {term!r}: expected {expected}")
