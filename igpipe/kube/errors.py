"""What the API server's refusals, and not reaching it, mean in igpipe's own errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import aiohttp
import orjson

from igpipe.errors import (
    ClusterDenied,
    ClusterError,
    ClusterUnavailable,
    Conflict,
    Gone,
    NotFound,
    Rejected,
)
from igpipe.text import safe

_BY_STATUS: Final[dict[int, type[ClusterError]]] = {
    401: ClusterDenied,
    403: ClusterDenied,
    404: NotFound,
    409: Conflict,
    410: Gone,
}
_BUSY: Final = frozenset({408, 429})
# Admission answers 403 as RBAC does. RBAC always names the user: `… is forbidden: User "x" cannot`.
_ADMISSION: Final = re.compile(
    r'" is forbidden: (?!User )|denied the request|violates PodSecurity|exceeded quota'
)
_SSL: Final = re.compile(r" ssl:(<[^>]*>|\w+)")  # aiohttp quotes an object of Python there


def translate(code: int, status: Any, retry_after: str | None = None) -> ClusterError:
    """
    Build the error for an HTTP *code* and the ``Status`` object that came with it.

    *status* may be anything: proxies in between answer as they like. *retry_after* is the header.
    """
    known: dict[str, Any] = status if isinstance(status, dict) else {}
    said = safe(str(known.get("message") or known.get("reason") or "no reason given"), 500)
    message = f"{code}: {said}"
    if code in _BUSY or code >= 500 or _kubelet_unaware(code, known):
        return ClusterUnavailable(message, retry_after=_seconds(retry_after, known))
    if code == 403 and _ADMISSION.search(said):
        return Rejected(message)
    return _BY_STATUS.get(code, Rejected)(message)


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """Turn a failure on the way, or an answer that is no JSON, into ClusterUnavailable."""
    try:
        yield
    except TimeoutError as exc:
        raise ClusterUnavailable(f"{what}: timed out") from exc
    except (aiohttp.ClientError, OSError, orjson.JSONDecodeError) as exc:
        raise ClusterUnavailable(f"{what}: {safe(_told(exc))}") from exc


def _kubelet_unaware(code: int, status: dict[str, Any]) -> bool:
    """
    Tell whether a kubelet, not the API server, does not know a Pod: it has only just started.

    The API server names ``pods`` where there is no Pod, and ``pods/log`` in what it passes on.
    """
    details = status.get("details")
    return code == 404 and isinstance(details, dict) and details.get("kind") == "pods/log"


def _told(error: Exception) -> str:
    return _SSL.sub("", str(error)) or type(error).__name__


def _seconds(header: str | None, status: dict[str, Any]) -> float | None:
    details = status.get("details")
    given = header or (details.get("retryAfterSeconds") if isinstance(details, dict) else None)
    try:
        return max(0.0, float(given)) if given else None
    except (TypeError, ValueError):  # a date is allowed, too; no API server sends one
        return None
