"""Label selectors as the API server reads them. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Final

Labels = Mapping[str, str]
Matches = Callable[[Labels], bool]

_SETS: Final = re.compile(r"^([^\s=!(),]+)\s+(in|notin)\s+\(([^)]*)\)$")
_PARTS: Final = re.compile(r",(?![^(]*\))")


def parse_selector(text: str) -> Matches:
    """Read ``a=b,c!=d,e in (f,g),h,!i``; an empty selector matches everything."""
    terms = [_term(part.strip()) for part in _PARTS.split(text) if part.strip()]
    return lambda labels: all(term(labels) for term in terms)


def _term(text: str) -> Matches:
    if found := _SETS.match(text):
        key, operator, values = found.groups()
        chosen = {value.strip() for value in values.split(",")}
        wanted = operator == "in"
        return lambda labels: (labels.get(key) in chosen) is wanted
    if "!=" in text:
        key, _, value = text.partition("!=")
        return lambda labels: labels.get(key.strip()) != value.strip()
    if "=" in text:
        key, _, value = text.replace("==", "=").partition("=")
        return lambda labels: labels.get(key.strip()) == value.strip()
    if text.startswith("!"):
        return lambda labels: text[1:] not in labels
    return lambda labels: text in labels
