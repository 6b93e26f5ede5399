"""Which events the user does not want to see forwarded. Pure."""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from igpipe.config import Filter, ForwardConfig
from igpipe.decode import getter, label_text
from igpipe.model import Event

Check = Callable[[Event], bool]
"""Tells whether an event is to be left out."""


def build_checks(config: ForwardConfig, gadget: str, exclude: frozenset[str]) -> tuple[Check, ...]:
    """Build what *gadget*'s events must pass: excluded namespaces first, then filters in order."""
    if config.gadgets and gadget not in config.gadgets:
        return (lambda event: True,)
    checks = [_outside(exclude)] if exclude else []
    checks += [_filter(each) for each in config.filters if _applies(each, gadget)]
    return tuple(checks)


def container_key(event: Event) -> tuple[str, str, str]:
    """Name the event's container; all that runs outside Pods is one."""
    return text_of(_namespace, event), text_of(_pod, event), text_of(_container, event)


def text_of(get: Callable[[Event], Any], event: Event) -> str:
    """Fetch a field as the text that patterns see; empty if the event has another shape."""
    try:
        return _text(get(event))
    except (AttributeError, TypeError, RecursionError):
        return ""


def _applies(rule: Filter, gadget: str) -> bool:
    return not rule.gadgets or gadget in rule.gadgets


def _filter(rule: Filter) -> Check:
    get = getter(rule.field)
    matches = re.compile(rule.matches).fullmatch
    if rule.action == "drop":
        return lambda event: matches(text_of(get, event)) is not None
    return lambda event: matches(text_of(get, event)) is None


def _outside(exclude: frozenset[str]) -> Check:
    """
    Build the check for excluded namespaces.

    An event whose namespace cannot be read is left out: it might be one of them. One of the host
    has none and passes.
    """

    def excluded(event: Event) -> bool:
        try:
            return label_text(_namespace(event)) in exclude
        except (AttributeError, TypeError):
            return True

    return excluded


def _text(value: Any) -> str:
    if type(value) is str:
        # Gadgets since v0.45 join arguments by no-break spaces; nobody writes those in patterns.
        return value.replace("\xa0", " ")
    if type(value) is list:
        return " ".join(_text(part) for part in value)
    if type(value) is dict:
        return orjson.dumps(value).decode()
    return label_text(value)


_namespace: Final = getter("namespace")
_pod: Final = getter("pod")
_container: Final = getter("container")
