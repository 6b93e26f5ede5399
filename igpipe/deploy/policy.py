"""
Admission: in the sessions' namespace only igpipe creates Pods, and only of its own shape. Pure.

The right to create privileged Pods is root on every node; these policies cut it down to the right
to run ig as configured. Deleting is never matched, so that kubelets, the garbage collector and
the namespace's own end are not held up.
"""

from dataclasses import replace
from typing import Any, Final

from igpipe.config import Config
from igpipe.deploy.bounds import bounds
from igpipe.deploy.place import Manifest, Place
from igpipe.deploy.podrules import VARIABLES, pod_rules
from igpipe.deploy.rule import FORBIDDEN, Policy, Rule

CONTROL_PLANE: Final = (
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
)
"""Labels of nodes that are not looked at unless ``nodes.control_plane`` is on."""
NODE_KIND: Final = {"apiVersion": "v1", "kind": "Node"}
"""What the policy about nodes takes as its parameters."""
_API: Final = "admissionregistration.k8s.io/v1"
_NAMESPACE: Final = "kubernetes.io/metadata.name"
_CLOSED: Final = ("exec", "attach", "portforward", "proxy", "ephemeralcontainers", "resize")


def pod_policies() -> tuple[Policy, ...]:
    """List the policies about Pods; the first needs the bounds as further variables."""
    return (
        Policy(
            "pods",
            "Only igpipe creates Pods here, and only of a session's shape.",
            ("CREATE",),
            ("pods",),
            pod_rules(),
            VARIABLES,
        ),
        Policy(
            "changes",
            "A session's Pod is not changed; its status is, by its kubelet.",
            ("UPDATE",),
            ("pods", "pods/status"),
            _unchanged(),
        ),
        Policy(
            "access",
            "Nobody gets into a session's Pod.",
            ("CREATE", "UPDATE", "CONNECT"),
            tuple(f"pods/{sub}" for sub in _CLOSED),
            (_closed(),),
        ),
    )


def node_policy() -> Policy:
    """
    Give the policy that refuses Pods on nodes with certain labels.

    A Pod holds its node's name only; but every Node that a binding selects is the policy's
    parameter once, and the rule is held against each. Annotations cannot be selected by.
    """
    return Policy(
        "nodes",
        "No session on nodes that are not to be looked at.",
        ("CREATE",),
        ("pods",),
        (
            Rule(
                "node",
                'object.spec.?nodeName.orValue("") != params.metadata.name',
                "this node is not to be looked at (control plane, or excluded by its label)",
                "params.metadata.name",
            ),
        ),
    )


def policy_table(config: Config, place: Place) -> tuple[Policy, ...]:
    """List the policies about Pods for *config*, for whichever engine enforces them."""
    allowed = tuple(bounds(config, place).items())
    first, *others = (
        replace(policy, name=f"{config.cluster.namespace}-{policy.name}")
        for policy in pod_policies()
    )
    return (replace(first, variables=(*allowed, *first.variables)), *others)


def policies(config: Config, place: Place) -> list[Manifest]:
    """Write ValidatingAdmissionPolicies with their bindings (Kubernetes 1.31 and later)."""
    namespace = config.cluster.namespace
    objects = []
    for policy in policy_table(config, place):
        objects += [_policy(policy, place), _binding(policy.name, policy.name, namespace, place)]
    return [*objects, *_nodes(config, place)]


def spec_of(policy: Policy) -> Manifest:
    """Write what Kubernetes and Kyverno have in common."""
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_matched(policy)]},
        **variables_of(policy),
        "validations": [validation(rule) for rule in policy.rules],
    }


def variables_of(policy: Policy) -> Manifest:
    """Write the variables; nothing where there are none."""
    listed = [{"name": name, "expression": text} for name, text in policy.variables]
    return {"variables": listed} if listed else {}


def validation(rule: Rule) -> Manifest:
    """Write one rule."""
    written = {"expression": rule.expression, "message": rule.message, "reason": rule.reason}
    if rule.message_expression:
        written["messageExpression"] = rule.message_expression
    return written


def in_namespace(namespace: str) -> Manifest:
    """Select one namespace by the label that Kubernetes itself gives it."""
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE: namespace}}}


def _unchanged() -> tuple[Rule, ...]:
    return (
        Rule(
            "spec",
            "object.spec == oldObject.spec",
            "the spec of a session's Pod is not changed after its creation",
        ),
        Rule(
            "labels",
            "object.metadata.?labels.orValue({}) == oldObject.metadata.?labels.orValue({})",
            "the labels of a session's Pod, by which igpipe finds it, are not changed",
        ),
    )


def _closed() -> Rule:
    return Rule(
        "closed",
        "false",
        "nobody may enter or change a Pod in this namespace",
        '"pods/" + request.subResource',
        '"in namespace " + request.namespace + " nobody may enter or change a Pod"',
        FORBIDDEN,
    )


def _policy(policy: Policy, place: Place, **more: Any) -> Manifest:
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {
            "name": policy.name,
            "labels": place.labels,
            "annotations": {"kubernetes.io/description": policy.about},
        },
        "spec": {**more, **spec_of(policy)},
    }


def _binding(name: str, policy: str, namespace: str, place: Place, **more: Any) -> Manifest:
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name, "labels": place.labels},
        "spec": {
            "policyName": policy,
            "validationActions": ["Deny"],
            "matchResources": in_namespace(namespace),
            **more,
        },
    }


def _matched(policy: Policy) -> Manifest:
    return {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": list(policy.operations),
        "resources": list(policy.resources),
    }


def _nodes(config: Config, place: Place) -> list[Manifest]:
    namespace = config.cluster.namespace
    policy = replace(node_policy(), name=f"{namespace}-nodes")
    selected: Manifest = {}
    if config.nodes.exclude_annotation:
        selected["excluded"] = {"matchLabels": {config.nodes.exclude_annotation: "true"}}
    if not config.nodes.control_plane:
        for key in CONTROL_PLANE:
            expressions = [{"key": key, "operator": "Exists"}]
            selected[key.rpartition("/")[2]] = {"matchExpressions": expressions}
    bindings = [
        _binding(
            f"{policy.name}-{name}",
            policy.name,
            namespace,
            place,
            paramRef={"selector": selector, "parameterNotFoundAction": "Allow"},
        )
        for name, selector in selected.items()
    ]
    return [_policy(policy, place, paramKind=NODE_KIND), *bindings]
