"""
The least rights, from the table of what igpipe calls. Pure.

The two calls that Kubernetes grants to everybody (its version, asking for one's own rights) need
no role.
"""

from collections.abc import Iterable

from igpipe.deploy.place import Manifest, Place
from igpipe.kube.verbs import REVIEW_ACCESS, RIGHTS, Right, Scope

_API = "rbac.authorization.k8s.io"


def rights(place: Place, sessions: str) -> list[Manifest]:
    """Write account, Role (in the namespace *sessions*) and ClusterRole, with their bindings."""
    account: Manifest = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(place, place.account, place.namespace),
        # Who needs the token says so: igpipe's Deployment does.
        "automountServiceAccountToken": False,
    }
    local = _metadata(place, place.account, sessions)
    # Cluster-wide names carry the sessions' namespace, of which each installation has its own.
    wide = _metadata(place, f"{sessions}-nodes")
    return [
        account,
        _role("Role", local, Scope.NAMESPACE),
        _binding("Role", local, place),
        _role("ClusterRole", wide, Scope.CLUSTER),
        _binding("ClusterRole", wide, place),
    ]


def rules(scope: Scope) -> list[Manifest]:
    """Fold the rights of one scope into RBAC's rules: one for each resource."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in _granted(scope):
        verbs.setdefault((right.group, _resource(right)), []).append(right.verb)
    return [
        {"apiGroups": [group], "resources": [resource], "verbs": allowed}
        for (group, resource), allowed in verbs.items()
    ]


def _granted(scope: Scope) -> Iterable[Right]:
    return (right for right in RIGHTS if right.scope is scope and right is not REVIEW_ACCESS)


def _resource(right: Right) -> str:
    return "/".join(part for part in (right.resource, right.subresource) if part)


def _role(kind: str, metadata: Manifest, scope: Scope) -> Manifest:
    return {"apiVersion": f"{_API}/v1", "kind": kind, "metadata": metadata, "rules": rules(scope)}


def _binding(kind: str, metadata: Manifest, place: Place) -> Manifest:
    return {
        "apiVersion": f"{_API}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _API, "kind": kind, "name": metadata["name"]},
        "subjects": [
            {"kind": "ServiceAccount", "name": place.account, "namespace": place.namespace}
        ],
    }


def _metadata(place: Place, name: str, namespace: str = "") -> Manifest:
    where = {"namespace": namespace} if namespace else {}
    return {"name": name, **where, "labels": place.labels}
