"""The generated policies on a real API server: what is admitted, what is refused, and why."""

from typing import Any

import pytest

from igpipe.deploy import write_yaml
from tests.cluster.guard.mutations import CONTAINER, ELSEWHERE, INIT, POD, changed, each_change
from tests.cluster.guard.plane import Plane, Refused
from tests.cluster.guard.sessions import IGPIPE, NODE, PLACE, Sessions
from tests.cluster.guard.variants import DOOMED, VARIANTS
from tests.cluster.rig import until
from tests.servers.helm import render

OTHERS = (
    "",  # the administrator, whom RBAC allows everything
    "system:serviceaccount:igpipe:default",
    "system:serviceaccount:igpipe-sessions:igpipe",
    "system:serviceaccount:kube-system:replicaset-controller",
)
SENSELESS = ("name", "image", "mountPath", ".+", "requests.ephemeral-storage", "image.reference")
"""Where Kubernetes itself refuses: no name, mounts without volume or twice, more than the limit."""
ENTRIES = (
    ("POST", "exec?command=sh&stdout=true"),
    ("GET", "exec?command=sh&stdout=true"),
    ("POST", "attach?stdout=true"),
    ("POST", "portforward?ports=80"),
    ("GET", "proxy/metrics"),
)


@pytest.mark.parametrize("namespace", VARIANTS)
def test_every_pod_of_igpipe_is_admitted(plane: Plane, namespace: str) -> None:
    """Whatever is configured, the Pod that igpipe builds is of the shape it may have."""
    sessions = Sessions(plane, namespace)
    sessions.remove(sessions.create(sessions.pod())["metadata"]["name"])


@pytest.mark.parametrize(("path", "value", "said"), POD)
def test_a_pod_with_one_thing_wrong_is_refused(
    sessions: Sessions, path: str, value: Any, said: str
) -> None:
    """Each single change is refused, and the message says what is wrong."""
    refused = sessions.refusal(changed(sessions.pod(), path, value))
    assert said in refused.message
    assert "igpipe-sessions-pods" in refused.message


@pytest.mark.parametrize(("path", "value", "said"), CONTAINER)
def test_a_container_with_one_thing_wrong_is_refused(
    sessions: Sessions, path: str, value: Any, said: str
) -> None:
    """One bad container among good ones is found, and the message names it."""
    refused = sessions.refusal(_spoilt(sessions, path, value))
    assert said in refused.message


@pytest.mark.parametrize(("namespace", "path", "value", "said"), ELSEWHERE)
def test_other_configurations_are_held_to_as_well(
    plane: Plane, namespace: str, path: str, value: Any, said: str
) -> None:
    """What one configuration allows is refused where another is in force."""
    sessions = Sessions(plane, namespace)
    assert said in sessions.refusal(_spoilt(sessions, path, value)).message


@pytest.mark.parametrize(("path", "value", "said"), INIT)
def test_the_init_container_is_the_taps_alone(
    plane: Plane, path: str, value: Any, said: str
) -> None:
    """Whatever else it is or may do is refused."""
    sessions = Sessions(plane, "tapped")
    pod = changed(sessions.pod(), f"spec.initContainers.0.{path}", value)
    assert said in sessions.refusal(pod).message


@pytest.mark.parametrize("namespace", ["tapped", "tapped-store", "tapped-volume"])
def test_whatever_brings_the_tap_is_held_to_in_each_field(plane: Plane, namespace: str) -> None:
    """Each single change of init container, volume and mount is refused, or undone by defaults."""
    sessions = Sessions(plane, namespace)
    pod = sessions.pod()
    sound = sessions.create(pod, dry_run=True)["spec"]
    admitted, senseless = [], []
    for path, value in each_change(pod):
        try:
            made = sessions.create(changed(pod, path, value), dry_run=True)["spec"]
        except Refused as refused:
            if f"{namespace}-pods" not in refused.message:
                senseless.append(path)
        else:
            if made != sound:
                admitted.append((path, value))
    assert admitted == []
    assert [path for path in senseless if not path.endswith(SENSELESS)] == []


def test_there_is_one_init_container(plane: Plane) -> None:
    """A second one is refused, be it like the first."""
    sessions = Sessions(plane, "tapped")
    pod = sessions.pod()
    more = {**pod["spec"]["initContainers"][0], "name": "tap2"}
    refused = sessions.refusal(changed(pod, "spec.initContainers.+", more))
    assert "at most one init container" in refused.message


@pytest.mark.parametrize("user", OTHERS)
def test_other_accounts_are_refused(sessions: Sessions, user: str) -> None:
    """Not even an administrator creates Pods there, nor a controller on somebody's behalf."""
    refused = sessions.refusal(sessions.pod(), user=user)
    assert refused.code == 403
    if not user:
        assert f"only {IGPIPE} may create Pods in namespace igpipe-sessions" in refused.message


@pytest.mark.parametrize("node", ["control", "spared"])
def test_nodes_that_are_not_looked_at_are_refused(sessions: Sessions, node: str) -> None:
    """A node's labels decide although the Pod holds its name only."""
    assert f"is not to be looked at (control plane, or excluded by its label); got {node}" in (
        sessions.refusal(sessions.pod(node)).message
    )


def test_nodes_excluded_by_name_are_refused(plane: Plane) -> None:
    """Globs of nodes.exclude become part of the policy."""
    sessions = Sessions(plane, "other-options")
    assert "(nodes.exclude); got gpu-7" in sessions.refusal(sessions.pod("gpu-7")).message


@pytest.mark.parametrize(("method", "entry"), ENTRIES)
def test_nobody_enters_a_session(sessions: Sessions, method: str, entry: str) -> None:
    """Exec, attach and forwarded ports are refused to the administrator, too."""
    with sessions.running() as pod, pytest.raises(Refused) as refused:
        sessions.plane.ask(method, f"{pod}/{entry}")
    assert "nobody may enter or change a Pod; got pods/" in refused.value.message


def test_no_container_is_added(sessions: Sessions) -> None:
    """Ephemeral containers, as kubectl debug adds them, are refused to everybody."""
    body = {"spec": {"ephemeralContainers": [{"name": "d", "image": "busybox"}]}}
    with sessions.running() as pod, pytest.raises(Refused) as refused:
        sessions.plane.ask("PATCH", f"{pod}/ephemeralcontainers", body)
    assert "got pods/ephemeralcontainers" in refused.value.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"spec": {"activeDeadlineSeconds": 5}}, "spec of a session's Pod is not changed"),
        ({"spec": {"containers": [{"name": "trace-exec", "image": "evil"}]}}, "not changed"),
        ({"metadata": {"labels": {"igpipe.io/instance": "x"}}}, "the labels of a session's Pod"),
    ],
)
def test_a_session_is_not_changed(sessions: Sessions, body: Any, said: str) -> None:
    """Neither what runs nor the labels by which igpipe finds it."""
    with sessions.running() as pod, pytest.raises(Refused) as refused:
        sessions.plane.ask("PATCH", pod, body, content="strategic-merge-patch")
    assert said in refused.value.message


def test_what_a_cluster_does_goes_on(sessions: Sessions) -> None:
    """Status is written, finalizers of the garbage collector go, and drains evict."""
    with sessions.running() as pod:
        status = {"status": {"phase": "Failed", "reason": "DeadlineExceeded"}}
        answer = sessions.plane.ask("PATCH", f"{pod}/status", status)
        assert answer["status"]["reason"] == "DeadlineExceeded"
        sessions.plane.ask("PATCH", pod, {"metadata": {"annotations": {"seen": "yes"}}})
        name = pod.rpartition("/")[2]
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        sessions.plane.ask("POST", f"{pod}/eviction", eviction)


def test_pods_go_with_their_lease(plane: Plane) -> None:
    """The garbage collector is not held up: who removes the Lease removes the sessions."""
    sessions = Sessions(plane, "builtin")
    with sessions.running() as pod:
        plane.ask("DELETE", sessions.lease)
        until(lambda: sessions.is_going(pod), "the Pod's end")


def test_pods_go_with_their_namespace(plane: Plane) -> None:
    """Nor is the namespace's own end held up."""
    sessions = Sessions(plane, DOOMED)
    with sessions.running() as pod:
        plane.ask("DELETE", f"/api/v1/namespaces/{DOOMED}")
        until(lambda: sessions.is_going(pod), "the Pod's end")


def test_other_namespaces_are_left_alone(plane: Plane) -> None:
    """The policies bind the sessions' namespace and nothing else."""
    pod = {
        "metadata": {"name": "any"},
        "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": NODE},
    }
    until(lambda: plane.ask("GET", "/api/v1/namespaces/default/serviceaccounts/default"), "it")
    plane.ask("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod)


def test_igpipe_itself_is_restricted(plane: Plane) -> None:
    """Its own Pod keeps to the Pod Security of its namespace; a session's would not."""
    objects = render()
    plane.apply(write_yaml(objects))
    (deployment,) = (found for found in objects if found["kind"] == "Deployment")
    pod = deployment["spec"]["template"]
    pod["metadata"]["name"] = "another"
    path = f"/api/v1/namespaces/{PLACE.namespace}/pods?dryRun=All"
    plane.ask("POST", path, pod)
    session = Sessions(plane, "igpipe-sessions").pod()
    session["metadata"] = {"name": "session"}
    with pytest.raises(Refused, match="violates PodSecurity"):
        plane.ask("POST", path, session)


def test_containers_are_bounded_in_number(sessions: Sessions) -> None:
    """Every known gadget at once is admitted; many more are refused."""
    pod = sessions.pod()
    (first, *_) = pod["spec"]["containers"]
    pod["spec"]["containers"] = [{**first, "name": f"c{number}"} for number in range(33)]
    assert "at most 32 containers" in sessions.refusal(pod).message
    pod["spec"]["containers"].pop()
    sessions.create(pod, dry_run=True)


def test_a_long_list_is_refused_at_a_bounded_cost(sessions: Sessions) -> None:
    """Thousands of arguments end in a refusal, not in an evaluation without end."""
    many = [f"--annotate={number}" for number in range(20_000)]
    assert "igpipe-sessions-pods" in sessions.refusal(_spoilt(sessions, "args", many)).message


def test_kubernetes_finds_no_fault_in_the_expressions(plane: Plane) -> None:
    """Its type checker has looked at every policy, and warns of nothing."""
    url = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    for policy in plane.ask("GET", url)["items"]:
        path = f"{url}/{policy['metadata']['name']}"
        status = until(lambda path=path: plane.ask("GET", path).get("status"), "type checking")
        assert not status["typeChecking"].get("expressionWarnings")


def _spoilt(sessions: Sessions, path: str, value: Any) -> dict[str, Any]:
    """Put trace_exec's container last, with *value* at *path* of it."""
    pod = sessions.pod()
    containers = pod["spec"]["containers"]
    containers.append(containers.pop(0))
    return changed(pod, f"spec.containers.{len(containers) - 1}.{path}", value)
