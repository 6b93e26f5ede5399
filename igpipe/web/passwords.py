"""Basic authentication against bcrypt hashes, off the event loop and proven once."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

import bcrypt

PROVEN: Final = 100
"""Proven credentials that are remembered, for as long as their hash is in force."""
WAITING: Final = 16
"""Comparisons that may wait for their turn."""
_BCRYPT_BYTES: Final = 72
"""What of a password bcrypt looks at."""


class TooManyLogins(Exception):
    """More comparisons wait than may."""


class Passwords:
    """
    Compares passwords one at a time in a thread: the event loop and the cores stay free.

    Those that were right are remembered by a keyed digest, so that a scrape costs no comparison.
    *compare* takes a password and a bcrypt hash.
    """

    def __init__(self, compare: Callable[[bytes, bytes], bool] = bcrypt.checkpw) -> None:
        self._slow_compare = compare
        self._key = secrets.token_bytes(32)
        self._proven: OrderedDict[bytes, None] = OrderedDict()
        self._one = asyncio.Lock()
        self._waiting = 0

    async def check(self, users: Mapping[str, str], authorization: str) -> str | None:
        """
        Return the user of an Authorization header, None unless its password is right.

        *users* are bcrypt hashes by name, of at least one. Raises TooManyLogins.
        """
        user, password = parse_basic(authorization)
        known = user in users
        # A stranger costs as much time as somebody known does, and always the same.
        digest = users[user] if known else self._stand_in(users, user)
        proof = self._digest(user, digest, password)
        if proof in self._proven:
            self._proven.move_to_end(proof)
            return user
        if not await self._compare(digest, password) or not known:
            return None
        self._proven[proof] = None
        while len(self._proven) > PROVEN:
            self._proven.popitem(last=False)
        return user

    async def _compare(self, digest: str, password: bytes) -> bool:
        if self._waiting >= WAITING:
            raise TooManyLogins
        self._waiting += 1
        try:
            async with self._one:
                cut = password[:_BCRYPT_BYTES]
                return await asyncio.to_thread(self._slow_compare, cut, digest.encode())
        finally:
            self._waiting -= 1

    def _stand_in(self, users: Mapping[str, str], stranger: str) -> str:
        names = sorted(users)
        return users[names[self._digest(stranger, "", b"")[0] % len(names)]]

    def _digest(self, user: str, digest: str, password: bytes) -> bytes:
        parts = b"".join(
            hashlib.sha256(part).digest()
            for part in (user.encode("utf-8", "surrogateescape"), digest.encode(), password)
        )
        return hmac.digest(self._key, parts, "sha256")


def parse_basic(authorization: str) -> tuple[str, bytes]:
    """Read user and password of a Basic Authorization header; both are empty if it is none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", b""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return "", b""
    return user.decode("utf-8", "surrogateescape"), password
