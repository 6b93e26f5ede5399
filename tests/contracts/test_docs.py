"""Documents lead where they say, and whoever starts at the README finds all of them."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pytest

_ROOT: Final = Path(__file__).parents[2]
_FOLDERS: Final = ("docs", "grafana", "deploy", "tests", "config", "benchmarks")
_DOCUMENTS: Final = sorted(
    {*_ROOT.glob("*.md"), *(path for name in _FOLDERS for path in (_ROOT / name).rglob("*.md"))}
)
_LINK: Final = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^()\s>]+(?:\([^()]*\))?)>?\)")


@pytest.mark.parametrize("path", _DOCUMENTS, ids=lambda path: str(path.relative_to(_ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """Files are there, and so are the headings in them."""
    for target in links(path):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        name, _, anchor = unquote(target).partition("#")
        found = (path.parent / name).resolve() if name else path
        assert found.exists(), target
        assert found.is_relative_to(_ROOT), target
        if anchor:
            assert anchor in anchors(found), target


def test_every_document_is_found_from_the_readme() -> None:
    """Nobody reads what nothing leads to."""
    seen, waiting = set[Path](), [_ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        local = (target.partition("#")[0] for target in links(path) if ":" not in target)
        waiting += [(path.parent / unquote(name)).resolve() for name in local if name]
    hidden = {path for path in _DOCUMENTS if path.is_relative_to(_ROOT / "docs")} - seen
    assert hidden == set()


def links(path: Path) -> Iterator[str]:
    """Give the targets of all links and images; code is none of it."""
    for found in _LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(path))):
        yield found[1]


@cache
def anchors(path: Path) -> frozenset[str]:
    """Name the headings as GitHub does in addresses."""
    if path.suffix != ".md":
        return frozenset()
    times = Counter[str]()
    slugs = set()
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", prose(path), re.MULTILINE):
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        slugs.add(f"{slug}-{times[slug]}" if times[slug] else slug)
        times[slug] += 1
    return frozenset(slugs)


@cache
def prose(path: Path) -> str:
    """Read a document without its blocks of code."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^( *)(```|~~~).*?^ *\2 *$", "", text, flags=re.MULTILINE | re.DOTALL)
