"""Compression of a request's body. Pure."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from isal import isal_zlib

PARTS: Final = 96
"""So many parts, of some 30 records, are compressed at once: they are still in the cache."""
_GZIP: Final = 31
_LEVEL: Final = 1


class Gzip:
    """What is written, compressed; the same calls give the same bytes."""

    def __init__(self) -> None:
        self._packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
        self._packed: list[bytes] = []

    def write(self, parts: Iterable[bytes]) -> None:
        """Add *parts*, a few at a time."""
        rest = iter(parts)
        while some := list(islice(rest, PARTS)):
            self._packed.append(self._packer.compress(b"".join(some)))

    def end(self) -> bytes:
        """Return all of it; nothing more can be written."""
        return b"".join((*self._packed, self._packer.flush()))


def gzipped(parts: Iterable[bytes]) -> bytes:
    """Compress what *parts* make together."""
    body = Gzip()
    body.write(parts)
    return body.end()
