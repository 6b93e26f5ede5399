"""The pages in a real browser: what they ask for, show and say, and to whom."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import pytest

from igpipe.config import WebConfig
from igpipe.telemetry import Telemetry
from igpipe.web import serving
from tests.servers.chromium import Page, browsing
from tests.servers.install import CACHE, RECIPES
from tests.web.fakes import FakeViews
from tests.web.fleet import fleet, hostile

pytestmark = pytest.mark.timeout(300)

SHOTS: Final = CACHE.parent / "screenshots"
"""Where each run leaves its pictures, for people to look at."""
SIZES: Final = {"wide": (1600, 1000), "laptop": (1200, 800), "phone": (390, 844)}
AXE: Final = RECIPES["axe"].folder / "node_modules" / "axe-core" / "axe.min.js"
FOUND: Final = "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
UPDATE: Final = "document.dispatchEvent(new Event('visibilitychange'))"
"""What makes the page look for something new at once, as when its tab comes to the front."""
TAB: Final = ("Tab", 9)
ENTER: Final = ("Enter", 13)


@asynccontextmanager
async def shown(views: FakeViews) -> AsyncIterator[tuple[Page, str]]:
    """Serve *views* and run a browser; yields its page and the server's address."""
    async with (
        serving(WebConfig(port=0), views, Telemetry()) as address,
        browsing() as page,
    ):
        yield page, address


async def until(page: Page, expression: str) -> None:
    """Wait until *expression* holds on the page."""
    async with asyncio.timeout(30):
        while not await page.ask(expression):  # noqa: ASYNC110 - the browser has no event of ours
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("views", "path"),
    [
        (fleet(0), "/"),
        (fleet(1), "/"),
        (fleet(5000), "/"),
        (hostile(), "/"),
        (fleet(1), "/sessions/s000000000000001"),
    ],
    ids=["none", "one", "5000", "hostile", "session"],
)
async def test_a_page_asks_nobody_else_and_keeps_its_policy(views: FakeViews, path: str) -> None:
    """Only igpipe is asked, the console stays empty, and what is shown is bounded; also updated."""
    async with shown(views) as (page, address):
        await page.open(address + path)
        await page.ask(UPDATE)
        if path == "/":
            async with asyncio.timeout(30):
                while page.told.requests.count(address + path) < 2:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # what it makes of the answer
        assert [url for url in page.told.requests if not url.startswith(address + "/")] == []
        assert page.told.console == []
        assert await page.ask("document.scripts.length") == 1
        assert await page.ask("document.querySelectorAll('*').length") < 6000


async def test_an_update_moves_nothing() -> None:
    """New numbers come into the page that is there: focus, choice and place stay."""
    views = fleet(12)
    async with shown(views) as (page, address):
        await page.look(1200, 800)
        await page.open(f"{address}/")
        await page.ask("document.querySelector('#ended a').focus(); scrollTo(0, 900)")
        await page.ask("window.before = [document.activeElement, scrollY]")
        await page.ask("document.querySelector('#node').value = 'half a na'")
        views.shown["health"] = {"lease": "lost to b"}
        await page.ask(UPDATE)
        await until(page, "document.querySelector('.state').textContent.includes('lost to b')")
        await page.ask("window.after = [document.activeElement, scrollY]")
        assert await page.ask("before[0] === after[0] && before[0].tagName === 'A'")
        assert await page.ask("after[1] >= before[1] && after[1] - before[1] < 60")
        assert await page.ask("document.querySelector('#node').value") == "half a na"
        assert page.told.console == []


async def test_updates_can_be_paused_by_keyboard() -> None:
    """The button says what it does next; while paused nothing is asked."""
    views = fleet(2)
    async with shown(views) as (page, address):
        await page.open(f"{address}/")
        await page.ask("document.querySelector('#updates').focus()")
        await page.call("Input.dispatchKeyEvent", type="keyDown", key=" ", code="Space", text=" ")
        await page.call("Input.dispatchKeyEvent", type="keyUp", key=" ", code="Space")
        await until(page, "document.querySelector('#updates').textContent === 'Resume updates'")
        await asyncio.sleep(0.5)  # an update may have been on its way
        asked = len(page.told.requests)
        await page.ask(UPDATE)
        await asyncio.sleep(0.5)
        assert len(page.told.requests) == asked


async def test_a_lost_server_is_seen() -> None:
    """A page that is no more up to date says so by its looks."""
    async with browsing() as page:
        async with serving(WebConfig(port=0), fleet(2), Telemetry()) as address:
            await page.open(f"{address}/")
        await page.ask(UPDATE)
        await until(page, "document.body.classList.contains('stale')")


async def test_it_is_complete_without_scripts() -> None:
    """All sections are there, and the browser itself loads the page again."""
    async with shown(fleet(12)) as (page, address):
        await page.open(f"{address}/", scripts=False)
        count = "document.querySelectorAll('main section').length"
        assert await page.ask(count) > 10
        assert await page.ask("document.querySelector('meta[http-equiv=refresh]').content") == "15"
        assert await page.ask("document.querySelector('#updates').hidden")


async def test_it_goes_by_keyboard() -> None:
    """The first stop leads past the links of the head; a session's page is two keys away."""
    async with shown(fleet(3)) as (page, address):
        await page.open(f"{address}/")
        await page.press(*TAB)
        assert await page.ask("document.activeElement.className") == "skip"
        await page.call("Input.dispatchKeyEvent", type="keyDown", text="\r", key="Enter",
                        code="Enter", windowsVirtualKeyCode=13)  # fmt: skip
        await until(page, "location.hash === '#main'")
        await page.ask("document.querySelector('#ended a').focus()")
        await page.call("Input.dispatchKeyEvent", type="keyDown", text="\r", key="Enter",
                        code="Enter", windowsVirtualKeyCode=13)  # fmt: skip
        await until(page, "location.pathname.startsWith('/sessions/')")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_pictures_at_three_sizes(dark: bool) -> None:
    """Nothing sticks out at the side; the pictures are kept to be looked at."""
    await asyncio.to_thread(SHOTS.mkdir, parents=True, exist_ok=True)
    async with browsing() as page:
        for name, world in worlds():
            async with world as (address, paths):
                for kind, path in paths.items():
                    for size, (width, height) in SIZES.items():
                        await page.look(width, height, dark=dark)
                        await page.open(address + path)
                        tone = "dark" if dark else "light"
                        await page.shoot(SHOTS / f"{kind or name}-{size}-{tone}.png")
                        assert await page.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_everybody_can_read_it(dark: bool) -> None:
    """axe finds nothing: names, roles, contrast, order, keyboard."""
    axe = await asyncio.to_thread(AXE.read_text)
    async with browsing() as page:
        await page.look(1200, 800, dark=dark)
        for name, world in worlds():
            async with world as (address, paths):
                for path in paths.values():
                    await page.open(address + path)
                    await page.ask(axe)
                    found: list[Any] = await page.ask(FOUND)
                    assert found == [], f"{name} {path}"


def worlds() -> Iterator[tuple[str, AbstractAsyncContextManager[tuple[str, dict[str, str]]]]]:
    """Go through fleets, each with its pages: the status page, and one of a session that failed."""
    for name, views in {"none": fleet(0), "fleet": fleet(12), "5000": fleet(5000)}.items():
        yield name, _world(views)
    yield "hostile", _world(hostile())


@asynccontextmanager
async def _world(views: FakeViews) -> AsyncIterator[tuple[str, dict[str, str]]]:
    paths = {"": "/"}
    if len(views.shown["nodes"]) == 12:
        failed = next(each for each in views.listed if each["outcome"] == "failed")
        paths["session"] = f"/sessions/{failed['id']}"
    async with serving(WebConfig(port=0), views, Telemetry()) as address:
        yield address, paths
