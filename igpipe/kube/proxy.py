"""
Which proxy the environment names for the API server. Pure.

As Go's programs read it, kubectl among them: NO_PROXY may hold networks (``10.0.0.0/8``), which
Python's own library does not understand and clusters rely on; loopback is never proxied. (aiohttp's
``trust_env`` would read a netrc in a thread at every request, besides.)
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit


def find_proxy(server: str, environ: Mapping[str, str]) -> str | None:
    """Return the address of the proxy on the way to *server*, if there is one."""
    address = urlsplit(server)
    host, name = address.hostname or "", f"{address.scheme}_proxy"
    without = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    if any(_covers(entry.strip(), host) for entry in ("localhost", "127.0.0.0/8", "::1", *without)):
        return None
    return environ.get(name) or environ.get(name.upper()) or None


def _covers(entry: str, host: str) -> bool:
    if entry in ("", "*"):
        return entry == "*"
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:  # one of them is a name
        domain = entry.removeprefix("*").removeprefix(".")
        return host == domain or host.endswith(f".{domain}")
