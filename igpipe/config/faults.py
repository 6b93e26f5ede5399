"""Say what is wrong with a configuration: where, what it is, what was expected. Pure."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from igpipe.config.document import MISSING, Document, Path, has, show_path
from igpipe.config.shape import keys_at, models_at, tag_of
from igpipe.config.types import Model
from igpipe.text import safe

_SECRET: Final = re.compile(
    r"(?i)pass|token|secret|header|authorization|credential|api_?key|^key$|^basic_auth"
)
_USERINFO: Final = re.compile(r"[^/\s\"]+@")
_PREFIXED: Final = re.compile(r"([a-z_]+(?:\.[^\s:]+)*): (.+)", re.DOTALL)
_EXPECTED: Final = {
    "missing": "missing",
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "path_type": "expected a path",
    "literal_error": "expected {expected}",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "string_pattern_mismatch": "expected text like {pattern}",
    "string_too_long": "expected at most {max_length} characters",
    "string_too_short": "expected at least {min_length} characters",
    "too_short": "expected at least {min_length} of them",
    "too_long": "expected at most {max_length} of them",
}


def explain(errors: Iterable[ErrorDetails], model: type[Model], document: Document) -> list[str]:
    """
    Turn pydantic's errors and the document's own faults into lines, in the order of the file.

    A line is ``file:line: path: what was expected, got value``; values are escaped and cut, and
    left out where they may be a secret.
    """
    lines = [
        (line, f"{document.source}:{line}: {show_path(path)}: {problem}")
        for path, line, problem in document.faults
    ]
    found: dict[Path, list[str]] = {}
    for error in errors:
        for path, problem in _faults(error, model, document):
            problems = found.setdefault(path, [])
            if problem not in problems:
                problems.append(problem)
    lines += [_line(document, path, problems) for path, problems in found.items()]
    return [line for _, line in sorted(lines, key=lambda numbered: numbered[0])]


def nearest(word: str, known: Iterable[str]) -> str:
    """Suggest the known word that is nearest, else list what is known."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(known)}" if known else ""


def _line(document: Document, path: Path, problems: list[str]) -> tuple[int, str]:
    line = document.line(path)
    got = "" if problems[0].startswith("unknown") else _got(document, path)
    return line, f"{document.source}:{line}: {show_path(path)}: {_joined(problems)}{got}"


def _joined(problems: list[str]) -> str:
    """Join what the members of a union expected: ``expected text or a whole number``."""
    head, *rest = problems
    return " or ".join([head, *(problem.removeprefix("expected ") for problem in rest)])


def _faults(
    error: ErrorDetails, model: type[Model], document: Document
) -> Iterator[tuple[Path, str]]:
    """Find an error's paths in the document, and the problem of each; none if it is an echo."""
    kind, context = error["type"], error.get("ctx", {})
    path = _in_document(error["loc"], document)
    if kind == "value_error":
        yield from (_own_words(path, line) for line in str(context["error"]).splitlines())
    elif kind != "too_short" or not _long_enough(document.value(path), context):
        yield _fault(error, path, model)
    # else its items are bad and told already


def _fault(error: ErrorDetails, path: Path, model: type[Model]) -> tuple[Path, str]:
    kind = error["type"]
    if kind == "missing":
        path = (*path, error["loc"][-1])
    if kind == "extra_forbidden":
        return path, _unknown(error["loc"], model)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        tags = [tag_of(each) for each in models_at(model, error["loc"])]
        return (*path, "type"), f"expected {' or '.join(tags)}"
    template = _EXPECTED.get(kind)
    return path, template.format(**error.get("ctx", {})) if template else error["msg"].lower()


def _in_document(loc: Sequence[str | int], document: Document) -> Path:
    """Leave out of pydantic's location what is not in the file: the tags of unions."""
    path: Path = ()
    here = document.data
    for step in loc:
        if has(here, step):
            path, here = (*path, step), here[step]
    return path


def _unknown(loc: Sequence[str | int], model: type[Model]) -> str:
    hint = nearest(str(loc[-1]), keys_at(model, loc[:-1]))
    return f"unknown key, {hint}" if hint else "unknown key"


def _own_words(path: Path, message: str) -> tuple[Path, str]:
    """Split ``key: problem``, as our own validators of whole models write it."""
    match = _PREFIXED.fullmatch(message)
    if not match:
        return path, safe(message)
    return (*path, *match[1].split(".", 1)), safe(match[2])


def _long_enough(value: Any, context: Mapping[str, Any]) -> bool:
    return isinstance(value, list) and len(value) >= context["min_length"]


def _got(document: Document, path: Path) -> str:
    value = document.value(path)
    if value is MISSING or not path:
        return ""
    if any(_SECRET.search(str(step)) for step in path):
        return ", got a value that is not shown"
    return f", got {_show(value)}"


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        return f"a list of {len(value)}"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return safe(_USERINFO.sub("***@", text), 80)
