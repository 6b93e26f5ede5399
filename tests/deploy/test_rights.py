"""The least rights, as generated."""

from igpipe.deploy import Place, rights
from igpipe.deploy.place import Manifest
from igpipe.deploy.rights import rules
from igpipe.kube.verbs import REVIEW_ACCESS, RIGHTS, Scope

PLACE = Place(namespace="watch", account="pipe")


def _of(kind: str) -> Manifest:
    (found,) = (o for o in rights(PLACE, "sessions") if o["kind"] == kind)
    return found


def _triples(scope: Scope) -> list[tuple[str, str, str]]:
    return [
        (group, resource, verb)
        for rule in rules(scope)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def test_roles_hold_what_is_called_and_nothing_else() -> None:
    """Each right of the table once, in the scope where it is used."""
    for scope in (Scope.NAMESPACE, Scope.CLUSTER):
        used = [
            (r.group, "/".join(filter(None, (r.resource, r.subresource))), r.verb)
            for r in RIGHTS
            if r.scope is scope and r is not REVIEW_ACCESS
        ]
        assert sorted(_triples(scope)) == sorted(used)


def test_nothing_dangerous_is_granted() -> None:
    """No wildcard, no secret, no way into Pods or through nodes, no change of anything else."""
    granted = [*_triples(Scope.NAMESPACE), *_triples(Scope.CLUSTER)]
    words = {word for triple in granted for word in triple}
    assert not words & {"*", "secrets", "patch", "deletecollection", "escalate", "impersonate"}
    assert not any(
        resource.endswith(("/exec", "/attach", "/proxy", "/portforward", "/token"))
        for _, resource, _ in granted
    )
    assert _triples(Scope.CLUSTER) == [("", "nodes", "list"), ("", "nodes", "watch")]


def test_roles_are_bound_to_the_account_alone() -> None:
    """Both bindings name igpipe's account in igpipe's namespace, and roles that exist."""
    subject = {"kind": "ServiceAccount", "name": "pipe", "namespace": "watch"}
    for kind in ("Role", "ClusterRole"):
        binding = _of(f"{kind}Binding")
        assert binding["subjects"] == [subject]
        assert binding["roleRef"]["name"] == _of(kind)["metadata"]["name"]


def test_the_role_is_in_the_sessions_namespace() -> None:
    """igpipe may do nothing in its own namespace."""
    assert _of("Role")["metadata"]["namespace"] == "sessions"
    assert _of("RoleBinding")["metadata"]["namespace"] == "sessions"
    assert _of("ServiceAccount")["automountServiceAccountToken"] is False
