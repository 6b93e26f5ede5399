"""
The rules for creating a Pod in the sessions' namespace. Pure.

Order matters to people only: the API server tells the first rule that is broken.
"""

from collections.abc import Iterator
from typing import Final

from igpipe.config import Config
from igpipe.deploy.cel import glob, literal, mixed, one_of
from igpipe.deploy.containerrules import container_rules
from igpipe.deploy.place import Place
from igpipe.deploy.rule import FORBIDDEN, Rule
from igpipe.deploy.shape import CONTAINERS, Shape
from igpipe.deploy.taprules import tap_rules
from igpipe.sessions.plan import GRACE_SECONDS, INSTANCE, MANAGED_BY, NODE, NODE_HASH, SESSION

VARIABLES: Final = (
    ("spec", "object.spec"),
    ("containers", "object.spec.containers"),
    ("labels", "object.metadata.?labels.orValue({})"),
    ("volumes", "object.spec.?volumes.orValue([])"),
)
"""What the expressions below call ``variables.…``."""
# Devices by CDI, and what containerd, CRI-O, crun, Kata and NRI plugins are told by annotations.
_RUNTIME: Final = (
    'k.matches("^(cdi[.]k8s[.]io/|io[.]kubernetes[.]cri|io[.]containerd|io[.]katacontainers|'
    'run[.]oci[.])|[.]nri([.]containerd)?[.]io/")'
)
_HIGHEST_USER_PRIORITY: Final = 1_000_000_000


def pod_rules(config: Config, place: Place, shape: Shape) -> tuple[Rule, ...]:
    """List all rules for a new Pod."""
    return (
        *_who(config, place),
        *_identity(),
        *_nodes(config),
        *_life(shape),
        *_fields(shape),
        *_volumes(shape),
        *tap_rules(shape),
        *container_rules(shape),
    )


def _who(config: Config, place: Place) -> Iterator[Rule]:
    allowed = " or ".join(place.creators)
    yield Rule(
        "creator",
        f"request.userInfo.username in {literal(list(place.creators))}",
        f"only {allowed} may create Pods in namespace {config.cluster.namespace}",
        "request.userInfo.username",
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


def _nodes(config: Config) -> Iterator[Rule]:
    named = f'object.metadata.?annotations[?{literal(NODE)}].orValue("")'
    yield Rule(
        "node",
        f'variables.spec.?nodeName.orValue("") != "" && {named} == variables.spec.nodeName',
        f"the Pod must name its node, in spec.nodeName and in the annotation {NODE} alike",
    )
    if config.nodes.exclude:
        yield Rule(
            "excluded node",
            f"!variables.spec.nodeName.matches({one_of(map(glob, config.nodes.exclude))})",
            "this node is excluded by name (nodes.exclude)",
            "variables.spec.nodeName",
        )


def _life(shape: Shape) -> Iterator[Rule]:
    yield Rule(
        "restart policy",
        'variables.spec.?restartPolicy.orValue("") == "Never"',
        "restartPolicy must be Never",
    )
    yield Rule(
        "deadline",
        f"variables.spec.?activeDeadlineSeconds.orValue({shape.deadline + 1}) <= {shape.deadline}",
        f"activeDeadlineSeconds must be set, and at most {shape.deadline}",
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
    priority = shape.plan.session.priority_class
    ours = f' || variables.spec.?priorityClassName.orValue("") == {literal(priority)}'
    yield Rule(
        "priority",
        f"variables.spec.?priority.orValue(0) <= {_HIGHEST_USER_PRIORITY}"
        f"{ours if priority else ''}",
        "the Pod must not have a system priority, for which kubelets remove other Pods",
        'variables.spec.?priorityClassName.orValue("")',
    )


def _fields(shape: Shape) -> Iterator[Rule]:
    known = literal(shape.pod_fields)
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
        f"variables.containers.size() <= {CONTAINERS}",
        f"at most {CONTAINERS} containers",
    )


def _volumes(shape: Shape) -> Iterator[Rule]:
    paths = [v["hostPath"]["path"] for v in shape.volumes if "hostPath" in v]
    listed = literal(paths)
    bad_path = f"v.?hostPath.path.orValue({literal(paths[0])}) in {listed}"
    kinds = ["name", "hostPath", "emptyDir"]
    kinds += ["image"] if any("image" in volume for volume in shape.volumes) else []
    yield Rule(
        "volume types",
        f"variables.volumes.all(v, dyn(v).all(k, k in {literal(kinds)}))",
        "volumes are host paths or empty directories: no secret, token or other volume",
        'variables.volumes.map(v, dyn(v).filter(k, k != "name").join(", ")).join(", ")',
    )
    yield Rule(
        "host paths",
        f"variables.volumes.all(v, {bad_path})",
        f"host paths are {', '.join(paths)}",
        f'variables.volumes.filter(v, !({bad_path})).map(v, v.hostPath.path).join(", ")',
    )
    known = f"[{', '.join(mixed(volume) for volume in shape.volumes)}]"
    yield Rule(
        "volumes",
        f"variables.volumes.all(v, v in {known})",
        "each volume must be as igpipe declares it",
        f'variables.volumes.filter(v, !(v in {known})).map(v, v.name).join(", ")',
    )
