"""A count of recordings that shares no code with igpipe: the standard library's json and dicts."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "ig"

Labels = tuple[str, str, str, str]
"""Namespace, pod, container, comm."""


def recordings() -> list[Path]:
    """List what a real ig printed; the copy with timestamps is the start of another one."""
    folders = ("v0.54.0", "v0.54.0-trimmed", "v0.50.1", "v0.30.0", "lossy")
    paths = sorted(path for folder in folders for path in (DATA / folder).iterdir())
    return [p for p in paths if "timestamps" not in p.name and p.name != "list_containers.json"]


def lines(path: Path) -> list[str]:
    """Read a recording's lines."""
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().rstrip("\n").split("\n")


def is_event_line(line: str) -> bool:
    """Tell whether a line is an event or an array of them, not one of ig's notices."""
    return line.startswith("[") or (line.startswith("{") and '"type":"warn"' not in line)


def rows(path: Path) -> list[dict[str, Any]]:
    """List a recording's events; of snapshots, the last array counts, as in a gauge."""
    values = [json.loads(line) for line in lines(path) if is_event_line(line)]
    arrays = [value for value in values if isinstance(value, list)]
    return arrays[-1] if arrays else values


def count(path: Path, *, comm: bool) -> Counter[Labels]:
    """Count a recording's events by labels."""
    return Counter(labels(row, comm=comm) for row in rows(path))


def labels(row: dict[str, Any], *, comm: bool) -> Labels:
    """Tell whose event it is."""
    k8s = row.get("k8s", {})
    name = row.get("proc", row).get("comm", "") if comm else ""
    return (
        k8s.get("namespace", ""),
        k8s.get("podName", ""),
        k8s.get("containerName", ""),
        name if name.isprintable() else _harmless(name),
    )


def lost(path: Path) -> int:
    """Sum up the samples that ig says were lost."""
    told = [line for line in lines(path) if "lost " in line and " samples" in line]
    return sum(int(line.split("lost ")[1].split(" ")[0]) for line in told)


def _harmless(name: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in name)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
