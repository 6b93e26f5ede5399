"""
Reading only the fields of a line that a plan needs. Pure.

The line is decoded into structs made for the plan. All of it is checked, but what nobody asks for
becomes no object: that takes less than half the time of parsing it whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct, field
from msgspec.json import Decoder

from igpipe.decode.names import Path
from igpipe.decode.values import Value
from igpipe.metrics.fields import whole
from igpipe.metrics.plan import Plan


@dataclass(frozen=True, slots=True)
class Narrow:
    """
    How events of one shape are read: *decode* gives a struct, or raises one of UNLIKE.

    *names* are the attributes that stand for keys, by the path down to each. A key that all events
    of the plan have had so far is required; one that is optional and missing is UNSET.
    """

    decode: Callable[[bytes], Any]
    names: Mapping[Path, str]
    log: str
    """The attribute that only a line of ig's log has: whoever reads an event looks at it."""


def narrow(plan: Plan) -> Narrow | None:
    """Find how to read what *plan* has learned the shape of; None if whole events are needed."""
    leaves: dict[Path, _Leaf] = {_LOG: _Leaf.OPTIONAL}
    for each in plan.fields:
        leaf = _Leaf.WHOLE if each.accepts is whole else _Leaf.REQUIRED
        if each.path is not None:
            leaves[each.path] = max(leaf, leaves.get(each.path, leaf))
        elif leaf is _Leaf.WHOLE:
            return None
        else:
            leaves = dict.fromkeys(each.paths, _Leaf.OPTIONAL) | leaves
    inner = {path[:depth] for path in leaves for depth in range(len(path))}
    possible = not inner & leaves.keys() and all(_writable(key) for path in leaves for key in path)
    return _narrow(tuple(leaves.items())) if possible else None


class _Leaf(IntEnum):
    """What must be at the end of a path; where two ask for it, the stricter counts."""

    OPTIONAL = 0
    REQUIRED = 1
    WHOLE = 2


_LOG: Final = ("message",)
_WHOLE: Final = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""What the log of a batch holds as a number; an event with another is read as a whole."""


def _writable(key: str) -> bool:
    """Tell whether msgspec takes *key*: none that has to be escaped."""
    return key.isprintable() and '"' not in key and "\\" not in key


@lru_cache(maxsize=256)
def _narrow(leaves: tuple[tuple[Path, _Leaf], ...]) -> Narrow:
    names: dict[Path, str] = {}
    decoder = Decoder(_struct((), dict(leaves), names))
    return Narrow(decoder.decode, names, names[_LOG])


def _struct(above: Path, leaves: Mapping[Path, _Leaf], names: dict[Path, str]) -> type[Struct]:
    """Define the object at the path *above*; names of keys may be anything, of attributes not."""
    depth = len(above)
    members: list[tuple[str, Any, Any]] = []
    for path in dict.fromkeys(leaf[: depth + 1] for leaf in leaves if leaf[:depth] == above):
        names[path] = f"k{len(names)}"
        kind, default = _member(path, leaves, names)
        members.append((names[path], kind, field(name=path[-1], **default)))
    return defstruct("Event", members, kw_only=True, gc=False)


def _member(
    path: Path, leaves: Mapping[Path, _Leaf], names: dict[Path, str]
) -> tuple[Any, dict[str, Any]]:
    """Give the type of what is at *path*, and its default if it may be missing."""
    if path in leaves:
        if leaves[path] is _Leaf.OPTIONAL:
            return Value | UnsetType, {"default": UNSET}
        return _WHOLE if leaves[path] is _Leaf.WHOLE else Value, {}
    struct = _struct(path, leaves, names)
    if any(leaf for end, leaf in leaves.items() if end[: len(path)] == path):
        return struct, {}
    return struct | UnsetType, {"default": UNSET}
