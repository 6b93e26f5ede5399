"""What may be asked for, read from hostile bytes."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.errors import InputError
from igpipe.web.asked import Alerts, LookBody, parse_asked

GOOD: dict[str, Any] = {"nodes": ["n1"], "gadget": "trace_exec", "reason": "why"}


def test_a_request_needs_nodes_a_gadget_and_a_reason() -> None:
    """All else has a default; durations are written as in the configuration."""
    asked = parse_asked(json.dumps({**GOOD, "duration": "5m"}).encode())
    assert isinstance(asked, LookBody)
    assert (asked.nodes, asked.duration, asked.namespace) == (("n1",), 300.0, "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"nodes": []}, "nodes"),
        ({"nodes": "n1"}, "nodes"),
        ({"nodes": ["n"] * 1001}, "nodes"),
        ({"gadget": 3}, "gadget"),
        ({"duration": "soon"}, "duration"),
        ({"duration": 0}, "duration"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"pods": [""]}, "pods.0"),
        ({"more\x1b[31m": 1}, "more\\x1b[31m"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], told: str) -> None:
    """The key at fault is in the message, escaped."""
    with pytest.raises(InputError) as caught:
        parse_asked(json.dumps({**GOOD, **change}).encode())
    assert str(caught.value).startswith(told)
    assert str(caught.value).isprintable()


def test_alertmanager_speaks_for_itself() -> None:
    """Its body is taken as it is, with whatever else it holds."""
    alert = {"status": "firing", "labels": {"node": "n1"}, "fingerprint": "x", "annotations": {}}
    body = {"version": "4", "groupKey": "{}", "receiver": "igpipe", "alerts": [alert]}
    asked = parse_asked(json.dumps(body).encode())
    assert isinstance(asked, Alerts)
    assert (asked.receiver, asked.alerts[0].labels) == ("igpipe", {"node": "n1"})


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing but InputError comes of them."""
    with suppress(InputError):
        assert isinstance(parse_asked(body), LookBody | Alerts)
