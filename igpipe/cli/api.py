"""Ask the igpipe that runs on this machine, over its own API."""

from typing import TYPE_CHECKING, Any, Final

from igpipe.errors import InputError
from igpipe.text import safe

if TYPE_CHECKING:
    from igpipe.config import WebConfig

_SECONDS: Final = 10.0


def address(web: "WebConfig") -> str:
    """Return where the igpipe of this configuration listens, as seen from this machine."""
    host = web.host if web.host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{web.port}" if ":" in host else f"http://{host}:{web.port}"


async def ask(web: "WebConfig", method: str, path: str) -> Any:
    """
    Call the API and return what it answers; None if nobody answers.

    Raises InputError if it refuses.
    """
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    headers = {"X-Igpipe": "1"}
    try:
        async with (
            aiohttp.ClientSession(address(web), timeout=timeout, headers=headers) as http,
            http.request(method, path) as response,
        ):
            if response.status != 200:
                told = safe((await response.text()).strip())
                raise InputError(f"{address(web)}{path}: {response.status} {told}")
            return await response.json()
    except (aiohttp.ClientError, TimeoutError):
        return None
