"""Read a container's command as ig would: ``ig run IMAGE …`` or a built-in's words. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from igpipe.gadgets import GADGETS, Kind, kind_of

_SWITCHES: Final = {"-v", "--verbose", "--host", "--paths", "--failed", "--failed-only"}
_COMMA: Final = re.compile(r"(?<!\\),")
_OWN_INTERVAL: Final = {"top_process": 3.0}
"""Sets that are printed again and again unasked."""
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|)")
_UNITS: Final = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_BUILTINS: Final = {gadget.builtin: gadget.name for gadget in GADGETS.values() if gadget.builtin}


@dataclass(frozen=True, slots=True)
class Shape:
    """How events are printed: paths left out, and ``key=variable`` fields added."""

    skips: frozenset[str] = frozenset()
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """
    What ig was asked to do.

    ``interval`` is None where a set is printed once; ``timeout`` is None where ig does not end by
    itself; ``silent`` where it prints nothing on stdout, as profile_* without a data output.
    """

    gadget: str = ""
    generation: str = "image"
    timeout: float | None = None
    verbose: bool = False
    interval: float | None = None
    flush: bool = False
    silent: bool = False
    shape: Shape = Shape()
    namespaces: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    error: str = ""

    def shows(self, namespace: str) -> bool:
        """Tell whether events of *namespace* are printed."""
        return namespace not in self.hidden and (
            not self.namespaces or namespace in self.namespaces
        )


def parse(argv: Sequence[str]) -> Command:
    """Read a command; what ig would refuse comes back as ``error``."""
    words, flags = _split(argv)
    if words and words[0].rpartition("/")[2] == "ig":
        words = words[1:]
    if words[:1] == ["run"] and len(words) == 2:
        gadget = re.split(r"[:@]", words[1].rpartition("/")[2])[0]
        return _image(gadget, flags)
    if tuple(words) in _BUILTINS:
        return _builtin(_BUILTINS[tuple(words)], flags)
    return Command(error=f'unknown command "{" ".join(words)}" for "ig"')


def seconds(text: str) -> float:
    """Read ``5``, ``5s``, ``1000ms``, ``1m30s`` as seconds."""
    return sum(float(n) * _UNITS[unit] for n, unit in _DURATION.findall(text))


def _image(gadget: str, flags: dict[str, str]) -> Command:
    annotations = _COMMA.split(flags.get("annotate", ""))
    notes = [note.partition("=") for note in annotations if note]
    options = {key.partition(":")[2]: value for key, _, value in notes}
    kind = kind_of(gadget)
    skips = frozenset(
        key.partition(":")[0].partition(".")[2]
        for key, _, value in notes
        if key.endswith(":json.skip") and value == "true"
    )
    fields = tuple(
        (key.removeprefix("env.fields."), variable)
        for key, variable in options.items()
        if key.startswith("env.fields.")
    )
    interval: float | None = seconds(flags.get("map-fetch-interval", "1000ms"))
    if kind is Kind.SNAPSHOT:
        once = options.get("fetch-count", "1") == "1"
        interval = None if once else seconds(options.get("fetch-interval", "1s"))
        interval = _OWN_INTERVAL.get(gadget, interval)
    shown, hidden = _namespaces(flags.get("k8s-namespace", ""))
    return Command(
        gadget=gadget,
        timeout=_timeout(flags),
        verbose="verbose" in flags,
        interval=interval,
        flush=options.get("ebpf.map.flush-on-stop") == "true",
        silent=kind is Kind.SLOTS and options.get("metrics.print") != "false",
        shape=Shape(skips, fields),
        namespaces=shown,
        hidden=hidden,
    )


def _builtin(gadget: str, flags: dict[str, str]) -> Command:
    once = kind_of(gadget) is Kind.SNAPSHOT
    if once and "timeout" in flags:
        return Command(generation="builtin", error="unknown flag: --timeout")
    return Command(
        gadget=gadget,
        generation="builtin",
        timeout=0.0 if once else _timeout(flags),
        verbose="verbose" in flags,
        interval=None if once else seconds(flags.get("interval", "1")),
    )


def _timeout(flags: dict[str, str]) -> float | None:
    value = seconds(flags.get("timeout", "0"))
    return value or None


def _namespaces(text: str) -> tuple[frozenset[str], frozenset[str]]:
    names = [name for name in text.split(",") if name]
    shown = frozenset(name for name in names if not name.startswith("!"))
    return shown, frozenset(name[1:] for name in names if name.startswith("!"))


def _split(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Part words from flags; a repeated flag replaces the earlier one, as in ig."""
    short = {"v": "verbose", "t": "timeout", "o": "output", "n": "namespace"}
    words: list[str] = []
    flags: dict[str, str] = {}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            words.append(word)
            continue
        name, given, value = word.partition("=")
        takes = not given and word not in _SWITCHES and rest and not _is_flag(rest[0])
        if takes:
            value = rest.pop(0)
        flags[short.get(name.lstrip("-"), name.lstrip("-"))] = value
    return words, flags


def _is_flag(word: str) -> bool:
    return word.startswith("-") and len(word) > 1
