"""Write values as CEL, the language of Kubernetes' admission policies. Pure."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

_SPECIAL: Final = re.compile(r"([.^$*+?()\[\]{}|\\])")
_TOKEN: Final = re.compile(r"\[!?[^]]+\]|.")


def literal(value: Any) -> str:
    """Write a JSON value; CEL reads JSON's strings, lists and maps as they are."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def mixed(value: dict[str, Any]) -> str:
    """Write a map whose values differ in type, which CEL's checker must not compare."""
    pairs = (f"{literal(key)}: dyn({literal(each)})" for key, each in sorted(value.items()))
    return f"{{{', '.join(pairs)}}}"


def exactly(text: str) -> str:
    """Write the regular expression (RE2) that matches *text* alone."""
    return _SPECIAL.sub(r"\\\1", text)


def glob(pattern: str) -> str:
    """Write the regular expression of a shell pattern (``*``, ``?``, ``[ab]``, ``[!ab]``)."""
    return _TOKEN.sub(_translated, pattern)


def one_of(alternatives: Iterable[str]) -> str:
    """Write the CEL string of the expression that matches one of *alternatives*, and no more."""
    return literal(f"^({'|'.join(dict.fromkeys(alternatives))})$")


def _translated(token: re.Match[str]) -> str:
    text = token[0]
    if len(text) > 1:
        return text.replace("[!", "[^", 1)
    return {"*": ".*", "?": "."}.get(text, exactly(text))
