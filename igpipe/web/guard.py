"""Who may ask what: hosts, peers and headers; and what every answer tells the browser. Pure."""

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

CONTROL_HEADER: Final = "X-Igpipe"
"""A page of another origin cannot send it without our consent, which we never give."""

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
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


def refuse_control(peer: str, headers: Mapping[str, str]) -> str:
    """Tell why a request must not change anything; empty if it may."""
    if not is_loopback(peer):
        return "only from this machine (kubectl port-forward, or kubectl exec)"
    if not is_loopback(_name(headers.get("Host", ""))):
        return "the Host header must be a loopback name"
    if headers.get(CONTROL_HEADER) != "1":
        return f"the header {CONTROL_HEADER}: 1 is missing"
    return ""


def _name(host: str) -> str:
    """Cut the port off a Host header; empty if it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
