"""The labels beside an event: the same by the quick way and by the long one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.decode import getter, label_text
from igpipe.forward import labels
from igpipe.forward.labels import LABELS, VALUE_LENGTH, Labels
from tests.forward.samples import Kept

EVENT: dict[str, Any] = {
    "k8s": {"namespace": "shop", "podName": "cart-0", "containerName": "app"},
    "proc": {"comm": "sh", "pid": 12, "creds": {"uid": 0}},
}


def write(event: dict[str, Any]) -> dict[str, str]:
    """Write the labels of *event* as forwarding does, as the first and as a later one."""
    kept = Kept()
    kept.offer(event)
    kept.offer(event)
    first, later = (record["labels"] for record in kept.records())
    assert first == later
    assert isinstance(first, dict)
    return first


def test_labels_are_strings_by_their_canonical_names() -> None:
    """Numbers too, as metadata and keywords want them."""
    assert write(EVENT) == {
        "namespace": "shop",
        "pod": "cart-0",
        "container": "app",
        "comm": "sh",
        "uid": "0",
        "pid": "12",
    }


def test_a_built_in_has_the_same_names() -> None:
    """Its fields are flat."""
    event = {"k8s": {"namespace": "shop"}, "comm": "sh", "pid": 3, "uid": 1}
    assert write(event) == {"namespace": "shop", "comm": "sh", "pid": "3", "uid": "1"}


@pytest.mark.parametrize("key", ["namespace", "podName", "containerName"])
def test_what_is_empty_is_left_out(key: str) -> None:
    """Outside Pods there is no namespace."""
    assert "" not in write({**EVENT, "k8s": {**EVENT["k8s"], key: ""}}).values()
    empty = {"namespace": "", "podName": "", "containerName": ""}
    proc = {"comm": "", "pid": 7, "creds": {"uid": ""}}
    assert write({"k8s": empty, "proc": proc}) == {"pid": "7"}


def test_long_values_are_cut() -> None:
    """They are labels, not contents."""
    proc = {**EVENT["proc"], "comm": "x" * 5000}
    assert write({**EVENT, "proc": proc})["comm"] == "x" * VALUE_LENGTH


def test_what_is_remembered_is_bounded() -> None:
    """A node that claims ever new names costs no memory."""
    writer = Labels()
    for number in range(labels.KNOWN + 10):
        proc = {**EVENT["proc"], "comm": f"c{number}"}
        assert b'"comm":"c%d"' % number in writer.shared({**EVENT, "proc": proc})
    assert writer.known <= labels.KNOWN


_values = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.just([])
_objects = st.dictionaries(
    st.sampled_from(["namespace", "podName", "containerName", "comm", "pid", "creds", "uid"]),
    _values | st.dictionaries(st.just("uid"), _values),
)


@given(st.dictionaries(st.sampled_from(["k8s", "proc", "comm", "pid"]), _values | _objects))
def test_any_event_has_the_labels_its_fields_give(event: dict[str, Any]) -> None:
    """However odd its shape."""
    expected = {}
    for name in LABELS:
        try:
            expected[name] = label_text(getter(name)(event))
        except (AttributeError, TypeError):
            continue
    assert write(event) == {name: value for name, value in expected.items() if value}
