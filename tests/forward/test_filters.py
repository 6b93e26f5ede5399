"""Filters: what is left out, in both generations and whatever the shape."""

from typing import Any

import pytest

from tests.forward.samples import Kept, event


def test_gadgets_that_are_not_listed_are_not_forwarded() -> None:
    """The stream of another gadget is filtered as a whole."""
    kept = Kept(gadgets=["trace_dns"])
    kept.offer(event())
    assert (kept.stream.filtered, kept.records()) == (1, [])


def test_excluded_namespaces_are_checked_again() -> None:
    """What ig should not have sent is filtered; processes of the host pass."""
    kept = Kept(exclude=("kube-system",))
    kept.offer(event(namespace="kube-system"))
    kept.offer(event(namespace="shop"))
    kept.offer(event(namespace=""))
    kept.offer({"comm": "kubelet"})
    assert kept.stream.filtered == 1
    assert len(kept.records()) == 3


def test_an_unreadable_namespace_might_be_an_excluded_one() -> None:
    """Where a namespace is excluded, an event that hides its own is left out."""
    kept = Kept(exclude=("kube-system",))
    kept.offer({"k8s": None})
    kept.offer({"k8s": {"namespace": ["kube-system"]}})
    assert kept.stream.filtered == 2


@pytest.mark.parametrize(
    ("field", "matches", "value", "dropped"),
    [
        ("args", "sh", "sh", True),
        ("args", "sh", "sh -c", False),
        ("args", "sh -c true", "sh\xa0-c\xa0true", True),
        ("args", "sh -c true", ["sh", "-c", "true"], True),
        ("args", "5", 5, True),
        ("args", "true", True, True),
        ("args", "", None, True),
        ("args", r'\{"a":1\}', {"a": 1}, True),
        ("proc.comm", "s.", "x", True),
        ("comm", "sh", "x", True),
        ("workload", "cart", "x", True),
        ("nowhere.at.all", ".+", "x", False),
    ],
)
def test_a_filter_matches_the_whole_field(
    field: str, matches: str, value: Any, *, dropped: bool
) -> None:
    """Canonical names and raw paths; arguments in every form read as joined by spaces."""
    kept = Kept(filters=[{"field": field, "matches": matches}])
    kept.offer(event(value))
    assert kept.stream.filtered == dropped


def test_keep_drops_all_else() -> None:
    """Keep is the opposite of drop, also for what lacks the field."""
    kept = Kept(filters=[{"field": "args", "matches": "sh.*", "action": "keep"}])
    kept.offer(event("sh -c"))
    kept.offer(event("ls"))
    kept.offer({"k8s": None})
    assert kept.events() == [event("sh -c")]


def test_a_filter_of_other_gadgets_does_not_apply() -> None:
    """Rules may name gadgets."""
    kept = Kept(filters=[{"field": "args", "matches": ".*", "gadgets": ["trace_open"]}])
    kept.offer(event())
    assert kept.stream.filtered == 0
