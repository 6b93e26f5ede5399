"""A headless Chromium that tells what a page asked for, logged and violated."""

import asyncio
import base64
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from igpipe.tasks import background

_COMMAND: Final = (
    "setpriv", "--pdeathsig", "KILL", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
)  # fmt: skip
START_SECONDS: Final = 60.0
CALL_SECONDS: Final = 60.0


@dataclass
class Told:
    """What happened on a page since it was loaded."""

    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)


class Page:
    """One tab, spoken to by the DevTools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.told = Told()
        self._socket = socket
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._loaded = asyncio.Event()
        self._calls = 0

    async def listen(self) -> None:
        """Take what the browser says, for ever."""
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            else:
                self._note(said["method"], said["params"])
        await asyncio.Event().wait()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call the protocol and return its answer."""
        self._calls += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._calls] = answer
        await self._socket.send_json({"id": self._calls, "method": method, "params": params})
        async with asyncio.timeout(CALL_SECONDS):
            said = await answer
        assert "error" not in said, said
        return said["result"]  # type: ignore[no-any-return]  # JSON

    async def open(self, url: str, *, scripts: bool = True) -> None:
        """Load *url*, and forget what was told of the page before."""
        await self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.told = Told()
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        async with asyncio.timeout(CALL_SECONDS):
            await self._loaded.wait()

    async def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """Give the window a size and the reader a taste."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    async def shoot(self, file: Path) -> None:
        """Draw the whole page into a PNG."""
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        await asyncio.to_thread(file.write_bytes, base64.b64decode(shot["data"]))

    async def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            name = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            await self.call("Input.dispatchKeyEvent", type=kind, **name)

    async def ask(self, expression: str) -> Any:
        """Evaluate JavaScript as the console does, and return its (awaited) value."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.told.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded":
            self.told.console.append(f"{params['entry']['level']}: {params['entry']['text']}")
        elif method == "Runtime.consoleAPICalled":
            self.told.console.append(f"{params['type']}: {params['args']}")
        elif method == "Runtime.exceptionThrown":
            self.told.console.append(f"exception: {params['exceptionDetails']}")
        elif method == "Page.loadEventFired":
            self._loaded.set()


@asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """Run a browser with a fresh profile and one empty tab during the block."""
    profile = Path(tempfile.mkdtemp(prefix="igpipe-chromium-"))
    browser = await asyncio.create_subprocess_exec(
        *_COMMAND, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(await _tab(http, port), max_msg_size=0) as socket,
        ):
            page = Page(socket)
            async with background(listen=page.listen):
                for domain in ("Page", "Network", "Log", "Runtime"):
                    await page.call(f"{domain}.enable")
                yield page
    finally:
        browser.kill()
        await browser.wait()
        shutil.rmtree(profile, ignore_errors=True)


async def _port(file: Path) -> int:
    async with asyncio.timeout(START_SECONDS):
        while not (text := await asyncio.to_thread(_read, file)):  # noqa: ASYNC110 - it is a file
            await asyncio.sleep(0.1)
    return int(text.split()[0])


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def _tab(http: aiohttp.ClientSession, port: int) -> str:
    async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
        tabs = await answer.json()
    return next(str(tab["webSocketDebuggerUrl"]) for tab in tabs if tab["type"] == "page")
