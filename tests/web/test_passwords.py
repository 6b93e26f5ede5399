"""Passwords are compared with bcrypt, off the loop, and once."""

import asyncio
import threading

import bcrypt
import pytest

from igpipe.web.passwords import PROVEN, WAITING, Passwords, TooManyLogins, parse_basic
from tests.web.fakes import basic, hashed

USERS = {"alice": hashed("secret"), "bob": hashed("böse:x")}


@pytest.mark.parametrize(
    ("user", "password", "right"),
    [
        ("alice", "secret", True),
        ("bob", "böse:x", True),
        ("alice", "Secret", False),
        ("alice", "böse:x", False),
        ("alice", "", False),
        ("", "", False),
        ("carol", "secret", False),
        ("carol", "böse:x", False),
        ("alice", "x" * 1000, False),
        ("alice", "secret\0", False),
    ],
)
async def test_only_the_right_password_of_a_user_is_right(
    user: str, password: str, right: bool
) -> None:
    """Also asked a second time, when it may be remembered."""
    passwords = Passwords()
    for _ in range(2):
        assert await passwords.check(USERS, basic(user, password)) == (user if right else None)


async def test_a_long_password_counts_as_far_as_bcrypt_reads() -> None:
    """As with the format's other readers."""
    users = {"a": hashed("x" * 72)}
    assert await Passwords().check(users, basic("a", "x" * 80)) == "a"


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ", "Basic !", "Basic YQ", "Bearer YTpi", "Basic Ol8=\u20ac"]
)
async def test_no_header_breaks_it(header: str) -> None:
    """What is no Basic header is a wrong one."""
    assert await Passwords().check(USERS, header) is None


def test_parse_basic_takes_a_colon_in_the_password() -> None:
    """The first one parts."""
    assert parse_basic(basic("a", "b:c")) == ("a", b"b:c")
    assert parse_basic("BASIC " + basic("a", "b")[6:]) == ("a", b"b")


async def test_a_proven_password_is_not_compared_again() -> None:
    """Until its hash changes."""
    compared = Compared()
    passwords = Passwords(compared)
    for _ in range(3):
        assert await passwords.check(USERS, basic("alice", "secret")) == "alice"
    assert len(compared.hashes) == 1
    changed = {"alice": hashed("other")}
    assert await passwords.check(changed, basic("alice", "secret")) is None
    assert len(compared.hashes) == 2


async def test_a_stranger_is_compared_too() -> None:
    """With a hash of somebody known, always the same: time does not tell who is known."""
    compared = Compared()
    passwords = Passwords(compared)
    for _ in range(3):
        assert await passwords.check(USERS, basic("carol", "secret")) is None
    assert len(compared.hashes) == 3
    assert len(set(compared.hashes)) == 1


async def test_what_is_remembered_is_bounded() -> None:
    """The oldest goes."""
    passwords = Passwords()
    for number in range(PROVEN + 5):
        users = {f"u{number}": USERS["alice"]}
        assert await passwords.check(users, basic(f"u{number}", "secret"))
    assert len(passwords._proven) == PROVEN


async def test_who_waits_is_bounded() -> None:
    """Beyond the bound nobody waits, while those who are proven pass."""
    compared = Compared()
    passwords = Passwords(compared)
    assert await passwords.check(USERS, basic("alice", "secret"))
    compared.gate.clear()
    async with asyncio.TaskGroup() as group:
        for number in range(WAITING):
            group.create_task(passwords.check(USERS, basic("alice", str(number))))
        await asyncio.sleep(0)
        with pytest.raises(TooManyLogins):
            await passwords.check(USERS, basic("alice", "more"))
        assert await passwords.check(USERS, basic("alice", "secret")) == "alice"
        compared.gate.set()


class Compared:
    """Compares as bcrypt does while its gate is open, and notes each hash."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, password: bytes, digest: bytes) -> bool:
        """Compare."""
        self.hashes.append(digest)
        self.gate.wait(10)
        return bcrypt.checkpw(password, digest)
