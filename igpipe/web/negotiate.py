"""Choose what a client is sent by its Accept and Accept-Encoding headers. Pure."""

from typing import Final

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_HEADER_LIMIT: Final = 2000


def wants_openmetrics(accept: str) -> bool:
    """Tell whether *accept* prefers OpenMetrics 1.0 to Prometheus' text; a tie goes to text."""
    openmetrics = text = 0.0
    for kind, version, quality in _parse(accept):
        if kind == "application/openmetrics-text" and version in ("", "1.0.0"):
            openmetrics = max(openmetrics, quality)
        elif kind in ("text/plain", "text/*", "*/*"):
            text = max(text, quality)
    return openmetrics > text


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether the client takes gzip (q > 0, by name or by ``*``)."""
    qualities = {kind: quality for kind, _, quality in _parse(accept_encoding)}
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def _parse(header: str) -> list[tuple[str, str, float]]:
    """Read ``a/b;version=1;q=0.5, c/d`` as (kind, version, quality)."""
    parsed = []
    for item in header[:_HEADER_LIMIT].lower().split(","):
        kind, *rest = (part.strip() for part in item.split(";"))
        params = dict((part + "=").split("=")[:2] for part in rest)
        quality = _quality(params.get("q", "1"))
        parsed.append((kind, params.get("version", "").strip('"'), quality))
    return parsed


def _quality(text: str) -> float:
    """Read a quality; what is none counts as 0, "not acceptable"."""
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
