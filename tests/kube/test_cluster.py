"""Every call: what it sends, what it makes of the answer, and that it is in the table of rights."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from igpipe.errors import ClusterError, Conflict, NotFound, Rejected
from igpipe.kube import Cluster
from igpipe.kube.verbs import OWN, RIGHTS, Right
from igpipe.model import LeaseState
from tests.kube.fake import Asked, FakeApi, change, connected, listing, refuse, say, stream, thing
from tests.virtual import run

CORE = "/api/v1/namespaces/ns"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
LEASE = LeaseState("l", "u", "7", "me", 30.0, 100.0)


def ask(path: Path, api: FakeApi, call: Callable[[Cluster], Awaitable[Any]]) -> Any:
    """Make one call in virtual time."""

    async def main() -> Any:
        async with connected(path, api) as cluster:
            return await call(cluster)

    return run(main())


def test_version_and_names(tmp_path: Path):
    """The cluster is named by its context and knows its address and version."""
    api = FakeApi()
    api.on("GET", "/version", say({"gitVersion": "v1.34.4"}))

    async def main() -> None:
        async with connected(tmp_path, api) as cluster:
            assert (cluster.name, cluster.server) == ("test", api.address)
            assert await cluster.version() == "v1.34.4"
        async with connected(tmp_path, api, name="other") as cluster:
            assert cluster.name == "other"

    run(main())
    assert api.asked[0].token == "Bearer first"


def test_lists(tmp_path: Path):
    """Nodes come from the cluster, Pods from the namespace and by their labels."""
    api = FakeApi()
    api.on("GET", "/api/v1/nodes", say(listing(thing("n", 1))))
    api.on("GET", f"{CORE}/pods", say(listing(thing("p", 1))))
    assert [node.name for node in ask(tmp_path, api, lambda c: c.list_nodes())] == ["n"]
    assert [pod.name for pod in ask(tmp_path, api, lambda c: c.list_pods("a=b"))] == ["p"]
    assert api.asked[1].query["labelSelector"] == "a=b"


@pytest.mark.parametrize(("dry_run", "query"), [(False, {}), (True, {"dryRun": "All"})])
def test_create_pod(tmp_path: Path, dry_run: bool, query: dict[str, str]):
    """The manifest is sent as it is; a dry run says so."""
    api = FakeApi()
    api.on("POST", f"{CORE}/pods", say(thing("p", 1), 201))
    manifest = {"metadata": {"name": "p"}, "spec": {"nodeName": "näme"}}
    pod = ask(tmp_path, api, lambda c: c.create_pod(manifest, dry_run=dry_run))
    assert pod.name == "p"
    assert (api.asked[0].body, api.asked[0].query) == (manifest, query)


def test_delete_pod(tmp_path: Path):
    """A deletion names the uid, so that it never hits another Pod of the same name."""
    api = FakeApi()
    api.on("DELETE", f"{CORE}/pods/p", say({"kind": "Status"}))
    ask(tmp_path, api, lambda c: c.delete_pod("p", uid="u", grace_seconds=5))
    body = api.asked[0].body
    assert (body["preconditions"], body["gracePeriodSeconds"]) == ({"uid": "u"}, 5)


@pytest.mark.parametrize(
    ("code", "error"), [(404, NotFound), (409, Conflict), (400, Rejected), (422, Rejected)]
)
def test_refusals(tmp_path: Path, code: int, error: type[ClusterError]):
    """A refusal becomes its error, with the server's reason."""
    api = FakeApi()
    api.on("DELETE", f"{CORE}/pods/p", refuse(code, "because"))
    with pytest.raises(error, match="because"):
        ask(tmp_path, api, lambda c: c.delete_pod("p", uid="u", grace_seconds=0))


def test_name_cannot_leave_its_place(tmp_path: Path):
    """A name with a slash stays a name."""
    api = FakeApi()
    with pytest.raises(NotFound):
        ask(tmp_path, api, lambda c: c.get_lease("../pods/x"))
    assert not api.paths()[0].startswith(f"{CORE}/pods")


def test_leases(tmp_path: Path):
    """A Lease is read, created and updated; an update names the version it replaces."""
    api = FakeApi()
    known = {"metadata": {"name": "l", "resourceVersion": "8"}, "spec": {"holderIdentity": "me"}}
    api.on("GET", f"{LEASES}/l", say(known))
    api.on("POST", LEASES, say(known, 201))
    api.on("PUT", f"{LEASES}/l", say(known))
    assert ask(tmp_path, api, lambda c: c.get_lease("l")).holder == "me"
    assert ask(tmp_path, api, lambda c: c.create_lease(LEASE)).version == "8"
    assert ask(tmp_path, api, lambda c: c.update_lease(LEASE)).version == "8"
    created, updated = (asked.body["metadata"] for asked in api.asked[1:])
    assert "resourceVersion" not in created
    assert (updated["resourceVersion"], updated["uid"]) == ("7", "u")


def test_event(tmp_path: Path):
    """An Event is about one object of the namespace."""
    api = FakeApi()
    api.on("POST", f"{CORE}/events", say({}, 201))
    ask(
        tmp_path,
        api,
        lambda c: c.create_event("Pod", "p", "u", reason="Ended", message="m", warning=True),
    )
    body = api.asked[0].body
    assert body["involvedObject"] == {
        "apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "namespace": "ns",
    }  # fmt: skip
    assert (body["type"], body["reason"], body["message"]) == ("Warning", "Ended", "m")


@pytest.mark.parametrize("allowed", [True, False])
def test_review_access(tmp_path: Path, allowed: bool):
    """A review asks for one right, in the namespace or in the whole cluster."""
    api = FakeApi()
    api.on("POST", REVIEWS, say({"status": {"allowed": allowed}}, 201))
    assert (
        ask(tmp_path, api, lambda c: c.review_access("get", "pods", subresource="log")) is allowed
    )
    ask(tmp_path, api, lambda c: c.review_access("list", "nodes", namespaced=False))
    first, second = (asked.body["spec"]["resourceAttributes"] for asked in api.asked)
    assert first == {
        "verb": "get", "group": "", "resource": "pods", "subresource": "log", "namespace": "ns",
    }  # fmt: skip
    assert "namespace" not in second


async def everything(cluster: Cluster) -> None:
    """Make every call there is."""
    for watch in (cluster.watch_nodes(), cluster.watch_pods("a=b")):
        await anext(watch)
        await anext(watch)
    await cluster.list_nodes()
    await cluster.list_pods("a=b")
    await cluster.create_pod({})
    await cluster.delete_pod("p", uid="u", grace_seconds=0)
    async with cluster.open_log("p", "c") as log:
        await log.read()
    await cluster.get_lease("l")
    await cluster.create_lease(LEASE)
    await cluster.update_lease(LEASE)
    await cluster.delete_lease(LEASE)
    await cluster.create_event("Lease", "l", "u", reason="R", message="m")
    await cluster.review_access("get", "pods")
    await cluster.version()


async def answer(request: Any) -> Any:
    """Be content with everything."""
    lines = stream(change("ADDED", "a", 11), hold=True)
    return await (lines if "watch" in request.query else say(listing()))(request)


def right_of(asked: Asked) -> Right | None:
    """Find the right that a request needs, as the API server would."""
    watching = "watch" in asked.query
    for right in (*RIGHTS, *OWN):
        path = re.escape(right.path("ns", "NAME")).replace("NAME", "[^/]+")
        if right.verb in ("list", "watch", "create"):
            path = re.escape(right.path("ns"))
        same_verb = right.method == asked.method and watching == (right.verb == "watch")
        if same_verb and re.fullmatch(path, asked.path):
            return right
    return None


def test_nothing_but_the_table(tmp_path: Path):
    """All calls together need each right of the tables, and none beside."""
    api = FakeApi(otherwise=answer)
    ask(tmp_path, api, everything)
    assert {right_of(asked) for asked in api.asked} == {*RIGHTS, *OWN}


def test_every_call_is_made_above():
    """A call that is added to the class is added to this test."""
    source = everything.__code__.co_names
    public = {name for name in vars(Cluster) if not name.startswith("_")}
    assert public - {"close"} <= set(source)
