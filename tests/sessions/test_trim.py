"""Trimming: only what serves nobody is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config import SessionConfig
from igpipe.gadgets import GADGETS
from igpipe.sessions.trim import skipped

SESSION = SessionConfig()


def test_what_nobody_needs_goes() -> None:
    """Enrichment that no metric uses, the second form of the time, and stacks are left out."""
    assert skipped("trace_open", (), SESSION) == (
        "k8s.owner",
        "k8s.podLabels",
        "runtime.containerImageDigest",
        "runtime.containerPid",
        "runtime.containerStartedAt",
        "timestamp",
        "ustack",
    )


@pytest.mark.parametrize(
    ("used", "kept"),
    [
        ("ustack", "ustack"),
        ("ustack.symbols", "ustack"),
        ("k8s.owner.kind", "k8s.owner"),
        ("k8s", "k8s.owner"),
        ("k8s", "k8s.podLabels"),
    ],
)
def test_what_is_used_stays(used: str, kept: str) -> None:
    """A field in use stays, as does one above or below it."""
    assert kept in skipped("trace_open", (), SESSION)
    assert kept not in skipped("trace_open", {used}, SESSION)


def test_names_that_only_begin_alike_are_others() -> None:
    """``timestamp_raw`` in use does not keep ``timestamp``."""
    assert "timestamp" in skipped("trace_open", {"timestamp_raw", "k8s.ownerish"}, SESSION)
    assert "k8s.owner" in skipped("trace_open", {"k8s.ownerish"}, SESSION)


def test_fields_that_a_gadget_lacks_are_not_named() -> None:
    """Arrays have no time, traceloop neither, histograms nothing; what is unknown is left alone."""
    assert "timestamp" not in skipped("snapshot_process", (), SESSION)
    assert "timestamp" not in skipped("traceloop", (), SESSION)
    assert "ustack" not in skipped("trace_exec", (), SESSION)
    assert skipped("profile_blockio", (), SESSION) == ()
    assert skipped("my_gadget", (), SESSION) == ()


def test_arguments_go_on_request_whoever_uses_them() -> None:
    """Without keep_args the arguments never leave the node, even without trimming."""
    session = SessionConfig(keep_args=False, trim=False)
    assert skipped("trace_exec", {"args"}, session) == ("args",)
    assert skipped("trace_open", {"args"}, session) == ()
    assert "args" not in skipped("trace_exec", (), SESSION)


@given(st.sampled_from(sorted(GADGETS)), st.sets(st.sampled_from(["k8s", "runtime.x", "ustack"])))
def test_no_used_path_is_skipped(gadget: str, used: set[str]) -> None:
    """Whatever is in use, no skipped field is it, holds it or lies in it."""
    for field in skipped(gadget, used, SESSION):
        assert not any(f"{field}.".startswith(f"{path}.") for path in used)
        assert not any(f"{path}.".startswith(f"{field}.") for path in used)
