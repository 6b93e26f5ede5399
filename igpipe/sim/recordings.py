"""Recorded ig output from package data, as templates that a node fills in."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import orjson

from igpipe.model import Event
from igpipe.sim.command import Shape

Role = tuple[str, str, str]
"""Namespace, Pod and container as recorded; a node puts its own in their place."""

_TOKEN: Final = re.compile(rb"@\{([\w.]+)\}")
_TIME: Final = re.compile(r'^time="[^"]*"')
_TEMPLATES_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded event or row."""

    event: Event
    role: Role
    comm: str


@dataclass(frozen=True, slots=True)
class Recording:
    """What one gadget prints; ``array`` where a line holds a set of rows."""

    rows: tuple[Row, ...]
    array: bool


@cache
def recording(generation: str, gadget: str) -> Recording | None:
    """Load a gadget's recording; None where there is none."""
    path = files("igpipe.sim") / "recordings" / generation / f"{gadget}.jsonl"
    if not path.is_file():
        return None
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    rows = [row for line in lines for row in (line if isinstance(line, list) else [line])]
    return Recording(tuple(_row(event) for event in rows), isinstance(lines[0], list))


@cache
def stderr(generation: str, part: str) -> tuple[bytes, ...]:
    """Load ig's own log lines at ``start`` or ``stop``, with ``%b`` in place of the time."""
    path = files("igpipe.sim") / "recordings" / generation / f"{part}.log"
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").replace("%", "%%").splitlines()
    return tuple(_TIME.sub('time="%b"', line).encode() + b"\n" for line in lines if line)


@lru_cache(_TEMPLATES_KEPT)
def templates(generation: str, gadget: str, shape: Shape) -> tuple[bytes, ...]:
    """
    Make each row a bytes template for ``%`` with a mapping.

    Its names are ns, pod, container, id, iso, raw and ``env.<field>``.
    """
    found = recording(generation, gadget)
    rows = found.rows if found else ()
    return tuple(_template(row.event, shape, sort=generation == "image") for row in rows)


def _row(event: Event) -> Row:
    k8s = event.get("k8s") or {}
    role = (k8s.get("namespace", ""), k8s.get("podName", ""), k8s.get("containerName", ""))
    return Row(event, role, _comm(event))


def _comm(event: Event) -> str:
    process = event.get("proc") or event.get("fprocess") or event
    return str(process.get("comm") or event.get("tcomm") or "")


def _template(event: Event, shape: Shape, *, sort: bool) -> bytes:
    marked = _mark(event)
    for path in shape.skips:
        _drop(marked, path.split("."))
    marked |= {key: f"@{{env.{key}}}" for key, _ in shape.fields}
    data = orjson.dumps(marked, option=orjson.OPT_SORT_KEYS if sort else None)
    data = data.replace(b"%", b"%%").replace(b'"@{raw}"', b"%(raw)d")
    return _TOKEN.sub(rb"%(\1)b", data)


def _mark(event: Event) -> Event:
    """Copy *event* with tokens where a node's own names and times go."""
    marked: Event = dict(event)
    if "k8s" in event:
        names = {"namespace": "@{ns}", "podName": "@{pod}", "containerName": "@{container}"}
        marked["k8s"] = _put(event["k8s"], names)
    if "runtime" in event:
        names = {"containerName": "@{container}", "containerId": "@{id}"}
        marked["runtime"] = _put(event["runtime"], names)
    if isinstance(event.get("timestamp"), str):
        return _put(marked, {"timestamp": "@{iso}", "timestamp_raw": "@{raw}"})
    return _put(marked, {"timestamp": "@{raw}"})


def _put(mapping: dict[str, Any], tokens: dict[str, str]) -> dict[str, Any]:
    return {key: tokens.get(key, value) for key, value in mapping.items()}


def _drop(mapping: dict[str, Any], path: list[str]) -> None:
    """Remove a dotted path; the maps on the way are copied, they are shared with the recording."""
    if len(path) == 1:
        mapping.pop(path[0], None)
    elif isinstance(mapping.get(path[0]), dict):
        mapping[path[0]] = dict(mapping[path[0]])
        _drop(mapping[path[0]], path[1:])
