"""Asking the igpipe that runs here."""

import pytest

from igpipe.cli.api import address, ask
from igpipe.config import WebConfig
from igpipe.errors import InputError
from igpipe.telemetry import Telemetry
from igpipe.web import serving
from tests.web.fakes import FakeViews


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:9469"),
        ("", "http://127.0.0.1:9469"),
        ("0.0.0.0", "http://127.0.0.1:9469"),
        ("::1", "http://[::1]:9469"),
    ],
)
def test_the_address_is_this_machines(host: str, expected: str) -> None:
    """Wherever it listens, it is asked over loopback."""
    assert address(WebConfig(host=host)) == expected


async def test_it_answers() -> None:
    """What the API says comes back; a control call has the header that it needs."""
    views = FakeViews()
    async with serving(WebConfig(port=0), views, Telemetry()) as url:
        web = WebConfig(port=int(url.rpartition(":")[2]))
        assert await ask(web, "POST", "/api/v1/pause") == {"paused": True}
        assert await ask(web, "GET", "/api/v1/sessions") == views.listed
        with pytest.raises(InputError, match="404"):
            await ask(web, "GET", "/api/v1/nothing")
    assert views.paused


async def test_nobody_answers() -> None:
    """That is no error here: there may be another way."""
    async with serving(WebConfig(port=0), FakeViews(), Telemetry()) as url:
        web = WebConfig(port=int(url.rpartition(":")[2]))
    assert await ask(web, "GET", "/api/v1/status") is None
