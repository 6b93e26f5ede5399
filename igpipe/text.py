"""Make strings that came from a node harmless for terminals, logs and pages. Pure."""

from typing import Final

_KEEP: Final = {" "}


def safe(text: str, limit: int = 200) -> str:
    """Escape what is not printable and cut at *limit* characters (the cut is marked by ``…``)."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() or c in _KEEP else _escape(c) for c in cut)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
