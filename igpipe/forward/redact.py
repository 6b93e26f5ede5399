"""Replace secrets in events before anything is stored or sent. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from igpipe.config import Redaction
from igpipe.decode import paths
from igpipe.model import Event

Redactor = Callable[[Event], None]
"""Changes an event in place."""

Replace = Callable[[str], str]


def build_redactor(rules: Sequence[Redaction]) -> Redactor | None:
    """Build one function of all *rules*, in order; None if there are none."""
    steps = [
        (place, _replacer(rule))
        for rule in rules
        for field in rule.fields
        for place in paths(field)
    ]
    if not steps:
        return None

    def redact(event: Event) -> None:
        for place, replace in steps:
            _visit(event, place, replace)

    return redact


_SEPARATOR: Final = "\xa0"
"""What joins arguments in gadgets since v0.45."""


def _visit(holder: Any, place: tuple[str, ...], replace: Replace) -> None:
    """Go down *place*, into each element of lists on the way, and replace what is at its end."""
    if type(holder) is list:
        for part in holder:
            _visit(part, place, replace)
    elif type(holder) is dict and place[0] in holder:
        if len(place) > 1:
            _visit(holder[place[0]], place[1:], replace)
        else:
            holder[place[0]] = _replaced(holder[place[0]], replace)


def _replaced(value: Any, replace: Replace) -> Any:
    """Replace in a text, in a list of arguments, or in every text below."""
    if type(value) is str:
        return replace(value)
    if type(value) is dict:
        return {key: _replaced(below, replace) for key, below in value.items()}
    if type(value) is not list:
        return value
    if value and all(type(part) is str for part in value):
        return replace(_SEPARATOR.join(value)).split(_SEPARATOR)
    return [_replaced(part, replace) for part in value]


def _replacer(rule: Redaction) -> Replace:
    """
    Build the replacement in one text.

    Arguments are seen one by one, so that ``^`` and ``$`` mean the ends of an argument, and then
    all together, joined by single spaces, so that ``--password \\S+`` finds an option's value.
    What joins them in the event stays as it is.
    """
    pattern = re.compile(rule.pattern.replace(_SEPARATOR, " "))
    replacement = rule.replacement

    def each(text: str) -> str:
        return pattern.sub(lambda match: replacement, text)

    def replace(text: str) -> str:
        if _SEPARATOR not in text:
            return each(text)
        parts = _SEPARATOR.join(each(part) for part in text.split(_SEPARATOR))
        return _spliced(parts, pattern, replacement)

    return replace


def _spliced(text: str, pattern: re.Pattern[str], replacement: str) -> str:
    """Replace what *pattern* finds where separators are spaces, and keep the other separators."""
    pieces, at = [], 0
    for match in pattern.finditer(text.replace(_SEPARATOR, " ")):
        pieces += [text[at : match.start()], replacement]
        at = match.end()
    return "".join(pieces) + text[at:]
