"""Read YAML so that every value can be found again in the file. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from igpipe.errors import ConfigError
from igpipe.text import safe

Path = tuple[str | int, ...]
"""Keys and list positions from the top."""

MISSING: Final = object()
"""What ``Document.value`` returns where the document has nothing."""


_PLAIN_TAGS: Final = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(slots=True)
class Document:
    """Plain data with the line of each path, and the faults that already YAML had."""

    source: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[tuple[Path, int, str]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of *path*, or of the nearest thing around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def value(self, path: Path) -> Any:
        """Return what stands at *path*, or MISSING."""
        found = self.data
        for step in path:
            if not has(found, step):
                return MISSING
            found = found[step]
        return found


def has(data: Any, step: str | int) -> bool:
    """Tell whether *data* is a mapping with that key or a list with that position."""
    if isinstance(data, Mapping):
        return step in data
    return isinstance(data, Sequence) and isinstance(step, int) and step < len(data)


def show_path(path: Path) -> str:
    """Write a path as people do: ``metrics.rules[2].buckets``."""
    if not path:
        return "the file"
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        elif step.replace("_", "").isalnum():
            shown += f".{safe(step, 60)}" if shown else safe(step, 60)
        else:
            shown += f'["{safe(step, 60)}"]'
    return shown


def parse_document(text: bytes, source: str) -> Document:
    """
    Read one YAML document with the safe tags only.

    A mapping's keys are always text, as written (``on`` stays ``on``). Raises ConfigError where
    the text is no YAML at all; keys that stand twice are the document's ``faults``.
    """
    document = Document(source)
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is not None:
            document.data = _Builder(loader, document).build(root, ())
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        where = f"{source}:{mark.line + 1}" if mark else source
        raise ConfigError(f"{where}: not YAML: {safe(exc.problem or str(exc))}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        # Bytes that are no text, a date that does not exist, a merge of a mapping into itself.
        raise ConfigError(f"{source}: not YAML: {safe(str(exc))}") from None
    finally:
        if loader is not None:
            loader.dispose()
    return document


class _Builder:
    """Turns YAML's nodes into data, noting lines; one a document."""

    def __init__(self, loader: yaml.SafeLoader, document: Document) -> None:
        self._loader = loader
        self._document = document
        self._around: list[yaml.Node] = []

    def build(self, node: yaml.Node, path: Path) -> Any:
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if node in self._around:
            self._fault(path, node, "an anchor that contains itself")
            return None
        if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS:
            self._fault(path, node, f"unknown tag {safe(node.tag, 60)}")
        self._around.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*path, at)) for at, item in enumerate(node.value)]
            return self._loader.construct_object(node)
        finally:
            self._around.pop()

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        self._find_twins(node, path)
        self._loader.flatten_mapping(node)  # puts what ``<<`` merges before the node's own keys
        built: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fault(path, key, "a key must be text")
                continue
            name = str(key.value)
            self._document.lines[*path, name] = key.start_mark.line + 1
            built[name] = self.build(value, (*path, name))
        return built

    def _find_twins(self, node: yaml.MappingNode, path: Path) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    self._fault((*path, key.value), key, "given twice in one mapping")
                seen.add(key.value)

    def _fault(self, path: Path, node: yaml.Node, problem: str) -> None:
        self._document.faults.append((path, node.start_mark.line + 1, problem))
