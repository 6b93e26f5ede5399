"""The page's own files, under addresses that change with what is in them."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, and where a page finds it."""

    name: str
    body: bytes

    @property
    def type(self) -> str:
        """Its media type."""
        return _TYPES[self.name.rpartition(".")[2]]

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/static/{self.name}"

    @property
    def url(self) -> str:
        """Its path with what tells two states of it apart: a browser may keep it for ever."""
        return f"{self.path}?{hashlib.sha256(self.body).hexdigest()[:12]}"


def _load(name: str) -> Asset:
    return Asset(name, files("igpipe.web").joinpath("static", name).read_bytes())


STYLE: Final = _load("style.css")
SCRIPT: Final = _load("page.js")
ICON: Final = _load("icon.svg")
ASSETS: Final = (STYLE, SCRIPT, ICON)
