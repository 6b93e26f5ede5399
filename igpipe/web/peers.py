"""From where igpipe is asked, and what it then does; what every answer tells a browser. Pure."""

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

CONTROL_HEADER: Final = "X-Igpipe"
"""A page of another origin cannot send it without our consent, which we never give."""

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "igpipe",
}


def is_loopback(host: str) -> bool:
    """Tell whether *host* (a name or an address) is this machine by definition."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse(bound: str, headers: Mapping[str, str]) -> str:
    """
    Tell why a request must not be answered; empty if it may be.

    A page whose name was rebound to 127.0.0.1 can reach a server on loopback, but the browser
    still sends that name as Host.
    """
    host = headers.get("Host", "")
    if is_loopback(bound) and host and not is_loopback(_name(host)):
        return "igpipe listens on loopback and answers to loopback names only"
    return ""


def refuse_control(peer: str, headers: Mapping[str, str], *, known: bool = False) -> str:
    """
    Tell why a request must not change anything; empty if it may.

    *known*: it proved who sends it. The header is needed all the same, for a browser shows
    passwords and certificates for any page that asks it to.
    """
    if headers.get(CONTROL_HEADER) != "1":
        return f"the header {CONTROL_HEADER}: 1 is missing"
    if known:
        return ""
    if not is_loopback(peer):
        return "only with a user of web.config_file, or from this machine (kubectl port-forward)"
    if not is_loopback(_name(headers.get("Host", ""))):
        return "the Host header must be a loopback name"
    return ""


def _name(host: str) -> str:
    """Cut the port off a Host header; empty if it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
