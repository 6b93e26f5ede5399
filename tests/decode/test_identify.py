"""Gadgets known by fields or by a file's name."""

import pytest

from igpipe.decode import identify
from igpipe.decode.identify import gadget_of_file


def test_a_trimmed_event_is_still_known() -> None:
    """What metrics need is enough to tell the gadget."""
    assert identify({"args": "x", "proc": {}, "k8s": {}}) == "trace_exec"
    assert identify({"fname": "x", "error": "", "k8s": {}}) == "trace_open"


def test_a_drop_of_the_built_ins_is_no_retransmit() -> None:
    """Both have flags and state; a retransmit has a type of its own."""
    fields = {"tcpflags": "ACK", "state": "ESTABLISHED", "src": {}, "dst": {}}
    assert identify({**fields, "type": "LOSS"}) == "trace_tcpretrans"
    assert identify({**fields, "type": "normal", "reason": "x"}) == "trace_tcpdrop"


def test_an_unknown_event_names_nothing() -> None:
    """Then the user has to say."""
    assert identify({}) is None
    assert identify({"k8s": {}, "runtime": {}}) is None


@pytest.mark.parametrize(
    ("name", "gadget"),
    [
        ("trace_exec.log.gz", "trace_exec"),
        ("a/b/trace_open.node-1.jsonl", "trace_open"),
        ("exec.jsonl", None),
        ("-", None),
        ("", None),
    ],
)
def test_a_file_is_called_after_its_gadget(name: str, gadget: str | None) -> None:
    """Up to the first dot, whatever folder it is in."""
    assert gadget_of_file(name) == gadget
