"""Connections are bounded, and those that do not come to the point are cut off."""

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web

from igpipe.telemetry import Telemetry
from igpipe.web.door import HEAD_BYTES, HEAD_SECONDS, Door
from tests import virtual
from tests.web.fakes import refusals

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire(asyncio.Transport):
    """A connection's other end: remembers whether it was cut, and who listens."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = False
        self.protocol: Any = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Know nothing."""
        return default

    def abort(self) -> None:
        """Be cut."""
        self.cut = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Be handed over."""
        self.protocol = protocol


class Handler(asyncio.Protocol):
    """Stands for aiohttp: takes what it is given."""

    def __init__(self) -> None:
        self.data = b""

    def data_received(self, data: bytes) -> None:
        """Take it."""
        self.data += data


class Server:
    """Stands for aiohttp's server."""

    def __init__(self) -> None:
        self.connections: list[Handler] = []

    def __call__(self) -> Handler:
        """Make a connection's protocol."""
        self.connections.append(Handler())
        return self.connections[-1]


class House:
    """A door, and who knocks at it."""

    def __init__(self, limit: int = 3) -> None:
        self.telemetry = Telemetry()
        self.server = Server()
        server = cast(web.Server, self.server)
        self.door = Door(server, limit, lambda certificate: True, self.telemetry.web)

    def knock(self) -> tuple[Any, Wire]:
        """Connect."""
        wire, protocol = Wire(), self.door()
        protocol.connection_made(wire)
        return protocol, wire


@pytest.mark.parametrize("size", [1, 3, 7, len(HEAD)])
async def test_a_whole_head_is_handed_over(size: int) -> None:
    """Whole, however it was cut, with what came behind it."""
    house = House()
    protocol, wire = house.knock()
    for at in range(0, len(HEAD), size):
        assert wire.protocol is None
        protocol.data_received(HEAD[at : at + size])
    assert wire.protocol.data == HEAD
    assert not wire.cut
    assert len(house.door) == 1


def test_who_is_too_slow_is_cut_off() -> None:
    """A byte now and then gains no time."""

    async def main() -> None:
        house = House()
        protocol, wire = house.knock()
        for _ in range(9):
            await asyncio.sleep(HEAD_SECONDS / 10)
            protocol.data_received(b"x")
        assert not wire.cut
        await asyncio.sleep(HEAD_SECONDS / 9)
        assert wire.cut
        assert refusals(house.telemetry, "slow") == 1
        assert len(house.door) == 0

    virtual.run(main())


async def test_a_head_that_is_too_long_is_cut_off() -> None:
    """Memory is bounded."""
    house = House()
    protocol, wire = house.knock()
    protocol.data_received(b"x" * HEAD_BYTES)
    assert not wire.cut
    protocol.data_received(b"x")
    assert wire.cut
    assert refusals(house.telemetry, "head") == 1


async def test_a_full_house_lets_go_who_waits_longest() -> None:
    """Who only holds connections open keeps nobody out."""
    house = House(limit=3)
    wires = [house.knock()[1] for _ in range(5)]
    assert [wire.cut for wire in wires] == [True, True, False, False, False]
    assert len(house.door) == 3
    assert refusals(house.telemetry, "connections") == 2


async def test_a_house_full_of_those_who_ask_takes_nobody() -> None:
    """Beyond the limit a new one is refused."""
    house = House(limit=2)
    for _ in range(2):
        protocol, _ = house.knock()
        protocol.data_received(HEAD)
    _, late = house.knock()
    assert late.cut
    assert len(house.door) == 2


async def test_who_leaves_makes_room() -> None:
    """A closed connection counts no more."""
    house = House()
    protocol, _ = house.knock()
    assert house.telemetry.registry.get_sample_value("igpipe_web_connections") == 1
    protocol.connection_lost(None)
    assert house.telemetry.registry.get_sample_value("igpipe_web_connections") == 0
