"""
The rules for creating a Pod in the sessions' namespace. Pure.

They are the same for every configuration; what it allows is in the variables (see ``bounds``).
Order matters to people only: the API server tells the first rule that is broken.
"""

from collections.abc import Iterator
from typing import Final

from igpipe.deploy.cel import literal
from igpipe.deploy.containerrules import container_rules
from igpipe.deploy.rule import FORBIDDEN, Rule
from igpipe.deploy.shape import ARGUMENTS, CONTAINERS
from igpipe.deploy.taprules import tap_rules
from igpipe.sessions.plan import GRACE_SECONDS, INSTANCE, MANAGED_BY, NODE, NODE_HASH, SESSION

VARIABLES: Final = (
    ("spec", "object.spec"),
    # A rule is held against every argument of every container; too many are none, and refused.
    (
        "containers",
        f"object.spec.containers.size() <= {CONTAINERS} && object.spec.containers.all(c, "
        f"c.?args.orValue([]).size() <= {ARGUMENTS}) ? object.spec.containers : []",
    ),
    ("labels", "object.metadata.?labels.orValue({})"),
    ("volumes", "object.spec.?volumes.orValue([])"),
)
"""The parts of the Pod that the expressions below call ``variables.…``."""
# Devices by CDI, and what containerd, CRI-O, crun, Kata and NRI plugins are told by annotations.
_RUNTIME: Final = (
    'k.matches("^(cdi[.]k8s[.]io/|io[.]kubernetes[.]cri|io[.]containerd|io[.]katacontainers|'
    'run[.]oci[.])|[.]nri([.]containerd)?[.]io/")'
)
_HIGHEST_USER_PRIORITY: Final = 1_000_000_000


def pod_rules() -> tuple[Rule, ...]:
    """List all rules for a new Pod."""
    return (
        *_who(),
        *_identity(),
        *_nodes(),
        *_life(),
        *_fields(),
        *_volumes(),
        *tap_rules(),
        *container_rules(),
    )


def _who() -> Iterator[Rule]:
    yield Rule(
        "creator",
        "request.userInfo.username in variables.creators",
        "only igpipe may create Pods in this namespace",
        "request.userInfo.username",
        '"only " + variables.creators.join(" or ") + " may create Pods in namespace " + '
        "request.namespace",
        FORBIDDEN,
    )


def _identity() -> Iterator[Rule]:
    yield Rule(
        "name",
        'object.metadata.name.matches("^igpipe-[0-9a-f]{16}$")',
        "the name must be igpipe- and 16 hexadecimal digits",
        "object.metadata.name",
    )
    for label in (INSTANCE, SESSION, NODE_HASH):
        yield Rule(
            f"label {label}",
            f'variables.labels[?{literal(label)}].orValue("") != ""',
            f"the label {label} must be set",
        )
    yield Rule(
        "managed by",
        f'variables.labels[?{literal(MANAGED_BY)}].orValue("") == "igpipe"',
        f"the label {MANAGED_BY} must be igpipe",
    )
    owned = (
        'o.kind == "Lease" && o.?controller.orValue(false) && '
        f'o.name == "igpipe-" + variables.labels[?{literal(INSTANCE)}].orValue("")'
    )
    yield Rule(
        "owner",
        "request.?dryRun.orValue(false) || "
        f"(object.metadata.?ownerReferences.orValue([]).size() == 1 && "
        f"object.metadata.ownerReferences.all(o, {owned}))",
        "the Lease of the instance alone must own the Pod, so that it goes when the Lease goes",
    )
    yield Rule(
        "finalizers",
        "object.metadata.?finalizers.orValue([]).size() == 0",
        "a session's Pod has no finalizers, which could keep it",
        'object.metadata.?finalizers.orValue([]).join(", ")',
    )
    acted_upon = f"dyn(object.metadata.?annotations.orValue({{}})).filter(k, {_RUNTIME})"
    yield Rule(
        "annotations",
        f"{acted_upon}.size() == 0",
        "a session's Pod has no annotations that container runtimes act upon",
        f'{acted_upon}.join(", ")',
    )


def _nodes() -> Iterator[Rule]:
    named = f'object.metadata.?annotations[?{literal(NODE)}].orValue("")'
    yield Rule(
        "node",
        f'variables.spec.?nodeName.orValue("") != "" && {named} == variables.spec.nodeName',
        f"the Pod must name its node, in spec.nodeName and in the annotation {NODE} alike",
    )
    node = 'variables.spec.?nodeName.orValue("")'
    yield Rule(
        "excluded node",
        f"!{node}.matches(variables.excluded)",
        "this node is excluded by name (nodes.exclude)",
        node,
    )


def _life() -> Iterator[Rule]:
    yield Rule(
        "restart policy",
        'variables.spec.?restartPolicy.orValue("") == "Never"',
        "restartPolicy must be Never",
    )
    yield Rule(
        "deadline",
        "variables.spec.?activeDeadlineSeconds.orValue(variables.deadline + 1) <= "
        "variables.deadline",
        "activeDeadlineSeconds must be set, and within the bound",
        told='"activeDeadlineSeconds must be set, and at most " + string(variables.deadline)',
    )
    yield Rule(
        "grace",
        f"variables.spec.?terminationGracePeriodSeconds.orValue(30) <= {GRACE_SECONDS}",
        f"terminationGracePeriodSeconds must be at most {GRACE_SECONDS}",
    )
    yield Rule(
        "token",
        "variables.spec.?automountServiceAccountToken.orValue(true) == false",
        "automountServiceAccountToken must be false",
    )
    yield Rule(
        "account",
        'variables.spec.?serviceAccountName.orValue("default") == "default"',
        "serviceAccountName must be default",
        "variables.spec.serviceAccountName",
    )
    ours = 'variables.spec.?priorityClassName.orValue("") == variables.priority'
    yield Rule(
        "priority",
        f"variables.spec.?priority.orValue(0) <= {_HIGHEST_USER_PRIORITY} || "
        f'(variables.priority != "" && {ours})',
        "the Pod must not have a system priority, for which kubelets remove other Pods",
        'variables.spec.?priorityClassName.orValue("")',
    )


def _fields() -> Iterator[Rule]:
    known = "variables.podFields"
    yield Rule(
        "fields",
        f"dyn(variables.spec).all(k, k in {known})",
        "spec has fields that a session's Pod never has",
        f'dyn(variables.spec).filter(k, !(k in {known})).join(", ")',
    )
    yield Rule(
        "pod security context",
        "dyn(variables.spec.?securityContext.orValue({})).size() == 0",
        "spec.securityContext must be empty",
    )
    yield Rule(
        "containers",
        "variables.containers.size() > 0",
        f"at most {CONTAINERS} containers, with at most {ARGUMENTS} arguments each",
    )


def _volumes() -> Iterator[Rule]:
    listed = 'v.?hostPath.path.orValue("/") in variables.hostPaths'
    yield Rule(
        "volume types",
        "variables.volumes.all(v, dyn(v).all(k, k in variables.volumeKinds))",
        "volumes are host paths or empty directories: no secret, token or other volume",
        'variables.volumes.map(v, dyn(v).filter(k, k != "name").join(", ")).join(", ")',
    )
    yield Rule(
        "host paths",
        f"variables.volumes.all(v, {listed})",
        "host paths are those that a session needs",
        f'variables.volumes.filter(v, !({listed})).map(v, v.hostPath.path).join(", ")',
        '"host paths are " + variables.hostPaths.join(", ")',
    )
    known = "v in variables.declaredVolumes"
    yield Rule(
        "volumes",
        f"variables.volumes.all(v, {known})",
        "each volume must be as igpipe declares it",
        f'variables.volumes.filter(v, !({known})).map(v, v.name).join(", ")',
    )
