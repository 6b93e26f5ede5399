"""Describe one configuration key for people: its type, default and meaning. Pure."""

import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import PlainSerializer
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from igpipe.config.shape import models_in
from igpipe.config.types import Model, show_duration, show_size

REQUIRED: Final = object()
"""What ``default_of`` returns for a key that must be given."""

_WORDS: Final[dict[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "boolean",
    Path: "path",
    Any: "anything",
}
_WRITERS: Final[dict[Any, str]] = {show_duration: "duration", show_size: "size"}


def meaning(thing: FieldInfo | type[Model]) -> str:
    """Return the docstring of a key or of a model, in one line."""
    text = thing.description if isinstance(thing, FieldInfo) else inspect.getdoc(thing)
    return " ".join((text or "").replace("``", "`").split())


def type_of(field: FieldInfo) -> str:
    """Say what may be written: ``duration ≥ 1s``, ``list of text``, ```a` or `b```."""
    writer = _writer(field)
    name = _WRITERS.get(writer) or _name(field.annotation)
    low: list[tuple[Any, bool]] = [(m.ge, False) for m in field.metadata if isinstance(m, Ge)]
    low += [(m.gt, True) for m in field.metadata if isinstance(m, Gt)]
    bound, beyond = max(low, default=(0, False))
    if bound or beyond:
        name += f" {'>' if beyond else '≥'} {writer(bound)}"
    high = [m.le for m in field.metadata if isinstance(m, Le)]
    return f"{name}, ≤ {writer(high[0])}" if high else name


def default_of(field: FieldInfo) -> Any:
    """Return a key's default as YAML would hold it, or REQUIRED."""
    if field.is_required():
        return REQUIRED
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple):
        return [_item(item) for item in value]
    return to_jsonable_python(value) if _writer(field) is str else _writer(field)(value)


def _writer(field: FieldInfo) -> Callable[[Any], str]:
    """Find what writes a key's values: durations and sizes have their own way."""
    for part in field.metadata:
        if isinstance(part, PlainSerializer) and part.func in _WRITERS:
            return part.func  # type: ignore[return-value]  # pydantic types it wider
    return str


def _item(item: Any) -> Any:
    """Write a list's item; one of which only the name was given goes by its name."""
    if isinstance(item, Model) and item.model_fields_set == {"name"}:
        return item.model_dump()["name"]
    return to_jsonable_python(item)


def _name(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" if value else '`""`' for value in args)
    if origin in (Union, types.UnionType):
        return ", ".join(_name(part) for part in args if part is not type(None))
    if models_in(annotation):
        return "list of mappings (below)"
    if origin in (None, Annotated):
        return _WORDS[args[0] if args else annotation]
    return f"list of {_name(args[0])}" if origin is tuple else f"mapping to {_name(args[1])}"
