"""The API server's store."""

import pytest

from igpipe.sim.answers import Refusal
from igpipe.sim.objects import HISTORY, Object, Store, page


def item(name: str, **metadata: str) -> Object:
    """Write an object."""
    return {"metadata": {"namespace": "n", "name": name, "uid": f"u-{name}", **metadata}}


def test_versions_rise_over_all_resources() -> None:
    """Each change has a version of its own, whatever the resource."""
    store = Store()
    first = store["pods"].create(item("a"))["metadata"]["resourceVersion"]
    second = store["nodes"].create(item("a"))["metadata"]["resourceVersion"]
    assert int(second) == int(first) + 1


def test_taken_names_are_refused() -> None:
    """A second object of a name is a 409."""
    store = Store()
    store["pods"].create(item("a"))
    with pytest.raises(Refusal) as refused:
        store["pods"].create(item("a"))
    assert (refused.value.code, refused.value.reason) == (409, "AlreadyExists")


def test_stale_updates_are_refused() -> None:
    """An update that names an older version is a 409."""
    store = Store()
    old = store["leases"].create(item("a"))["metadata"]["resourceVersion"]
    store["leases"].replace(item("a") | {"spec": 1}, version=old)
    with pytest.raises(Refusal, match="object has been modified"):
        store["leases"].replace(item("a"), version=old)


def test_an_update_that_changes_nothing_writes_nothing() -> None:
    """The version stays, and no watch is told."""
    store = Store()
    made = store["leases"].create(item("a"))
    assert store["leases"].replace(item("a")) == made
    assert store["leases"].since(store.version) == []


def test_what_a_condition_does_not_name_is_refused() -> None:
    """A precondition on another uid or version is a 409, on none is no condition."""
    store = Store()
    known = store["pods"].create(item("a"))["metadata"]
    assert store["pods"].check("n", "a", {})
    assert store["pods"].check("n", "a", {key: known[key] for key in ("uid", "resourceVersion")})
    for key, told in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        with pytest.raises(Refusal, match=f"{told} in precondition"):
            store["pods"].check("n", "a", {key: "other"})


def test_history_is_bounded_and_says_so() -> None:
    """What is older than the history is a 410, never a silent gap."""
    store = Store()
    start = store.version
    store["pods"].create(item("a"))
    for number in range(2 * HISTORY):
        store["pods"].replace(item("a") | {"spec": number})
    with pytest.raises(Refusal) as refused:
        store["pods"].since(start)
    assert refused.value.code == 410
    assert len(store["pods"].since(store.version - 10)) == 10


def test_changes_come_in_order() -> None:
    """Adding, changing and deleting are three changes."""
    store = Store()
    start = store.version
    store["pods"].create(item("a"))
    store["pods"].replace(item("a") | {"spec": 1})
    store["pods"].delete("n", "a")
    kinds = [change.kind for change in store["pods"].since(start)]
    assert kinds == ["ADDED", "MODIFIED", "DELETED"]


def test_pages_cover_everything_once() -> None:
    """Following the tokens lists every object exactly once."""
    store = Store()
    for number in range(7):
        store["pods"].create(item(f"p{number}"))
    names, token, left = [], "", 1
    while left:
        found, token, left = page(store["pods"].all(), 3, token)
        names += [change.object["metadata"]["name"] for change in found]
    assert names == [f"p{number}" for number in range(7)]
