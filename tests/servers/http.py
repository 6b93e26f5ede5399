"""Plain questions to a server on loopback."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any


def get_json(url: str, headers: Mapping[str, str] | None = None, **query: object) -> Any:
    """GET *url* and read the answer."""
    asked = f"{url}?{urllib.parse.urlencode(query)}" if query else url
    return _ask(urllib.request.Request(asked, headers=dict(headers or {})))


def send_json(method: str, url: str, body: object) -> Any:
    """Send *body* and read the answer."""
    return _ask(
        urllib.request.Request(
            url,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
    )


def answers(url: str) -> bool:
    """Tell whether a server is there for *url* and does not say that it fails."""
    try:
        with _direct.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, http.client.HTTPException):
        return False


def _ask(request: urllib.request.Request) -> Any:
    try:
        with _direct.open(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        error.add_note(f"{request.full_url}: {error.read().decode(errors='replace')}")
        raise


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Past any proxy of the environment."""
