"""
What a session's Pod may look like, read off the Pods that igpipe would build. Pure.

Values (images, volumes, capabilities) are those of the configuration; names of fields are those
of the manifest and those that an API server fills in by itself. Whatever is not listed is
refused, so that a field which Kubernetes gets tomorrow is closed from the start.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from igpipe.config import Config
from igpipe.deploy.cel import exactly
from igpipe.deploy.place import Manifest, Place
from igpipe.gadgets import GADGETS
from igpipe.sessions import tap
from igpipe.sessions.command import ig_arguments
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan

CONTAINERS: Final = 32
ARGUMENTS: Final = 64
"""The most containers in a Pod, and arguments of one: they bound what a policy may cost."""
LONGEST: Final = 600
"""Seconds that a session's Pod may live where the configuration needs less, for looks on demand."""
FREE_FLAGS: Final = {
    "--annotate": ".*",
    "--map-fetch-interval": "[0-9]+ms",
    "--interval": "[0-9]+",
    "--max-rows": "[0-9]+",
}
"""Flags that igpipe writes by itself, with whatever value."""
TAP_DEADLINE: Final = "--deadline"
TAP_STORE: Final = "--store"
TAP_HIDDEN: Final = "--without"
"""The tap's flags."""
HIDDEN: Final = "--k8s-namespace="
"""The flag that tells ig which namespaces to leave out."""
HIDDEN_MORE: Final = "(,!?[a-z0-9-]+)*"
"""What may follow those that must be left out."""
# What admission and defaulting add to what igpipe sends.
_POD_DEFAULTS: Final = {
    "imagePullSecrets", "preemptionPolicy", "priority", "priorityClassName", "schedulerName",
    "securityContext", "serviceAccount", "serviceAccountName",
}  # fmt: skip
CONTAINER_DEFAULTS: Final = {"terminationMessagePath", "terminationMessagePolicy"}
"""What an API server adds to every container."""
_NARROWER: Final = {"allowPrivilegeEscalation", "privileged", "runAsNonRoot", "runAsUser"}


@dataclass(frozen=True, slots=True)
class Shape:
    """
    The values that the rules compare a Pod with; ``*_expressions`` are regular expressions.

    ``commands`` are those of ig's containers: the tap's, and ig alone where a node may go without
    it. ``hidden_flag`` is the flag that hides namespaces; empty where ig has none.
    """

    plan: Plan
    hidden_flag: str
    pod_fields: list[str]
    container_fields: list[str]
    security_fields: list[str]
    mount_fields: list[str]
    image_expressions: list[str]
    gadget_expressions: list[str]
    word_expressions: list[str]
    flag_expressions: list[str]
    commands: list[list[str]]
    volumes: list[Manifest]
    mounts: dict[str, list[str]]
    capabilities: list[str]
    privileged: bool
    deadline: int


def shape_of(config: Config, place: Place) -> Shape:
    """Read the shape off the Pod that *config* asks for. Raises ConfigError as sessions would."""
    plan = Plan(config.cluster, config.rotation, config.session, config.gadgets)
    spec = build_manifest(plan, "node", "session")["spec"]
    containers = spec["containers"]
    security = containers[0]["securityContext"]
    more = (*(gadget.name for gadget in config.on_demand), *place.gadgets)
    return Shape(
        plan=plan,
        hidden_flag=HIDDEN if any(_hides(c) for c in containers) else "",
        pod_fields=sorted(spec.keys() | _POD_DEFAULTS),
        container_fields=sorted(containers[0].keys() | CONTAINER_DEFAULTS),
        security_fields=sorted(security.keys() | _NARROWER),
        mount_fields=sorted({key for mount in _mounts(containers) for key in mount}),
        image_expressions=[_image(image) for image in _images(config, place)],
        gadget_expressions=_gadgets(config, more),
        word_expressions=_words(plan, more),
        flag_expressions=_flags(plan),
        commands=_commands(plan),
        volumes=[_as_stored(volume) for volume in spec["volumes"]],
        mounts=_mount_paths(containers),
        capabilities=security.get("capabilities", {}).get("add", []),
        privileged=bool(security.get("privileged")),
        deadline=place.deadline or max(plan.deadline_seconds, _look_seconds(config), LONGEST),
    )


def _look_seconds(config: Config) -> int:
    """Return how long the Pod of the longest look on demand may live."""
    session = config.session.model_copy(update={"duration": config.looks.max_duration})
    plan = Plan(config.cluster, config.rotation, session, config.gadgets)
    return plan.deadline_seconds if config.looks.enabled else 0


def _commands(plan: Plan) -> list[list[str]]:
    plain = [["ig"]] if not plan.tapped or plan.may_go_plain else []
    return [[tap.PROGRAM], *plain] if plan.tapped else plain


def _hides(container: Manifest) -> bool:
    return any(argument.startswith(HIDDEN) for argument in container["args"])


def _mounts(containers: Iterable[Manifest]) -> Iterator[Manifest]:
    for container in containers:
        yield from container["volumeMounts"]


def _mount_paths(containers: Iterable[Manifest]) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for mount in _mounts(containers):
        known = paths.setdefault(mount["name"], [])
        if mount["mountPath"] not in known:
            known.append(mount["mountPath"])
    return paths


def _as_stored(volume: Manifest) -> Manifest:
    """Add what the API server does: a hostPath has a type, be it empty."""
    if "hostPath" not in volume:
        return volume
    return {**volume, "hostPath": {"type": "", **volume["hostPath"]}}


def _image(image: str) -> str:
    return f"{exactly(image[:-1])}.*" if image.endswith("*") else exactly(image)


def _images(config: Config, place: Place) -> list[str]:
    """List the images of ig: the configured one, the one to go back to, and others allowed."""
    images = (config.session.image, config.rollout.previous_image, *place.images)
    return [image for image in images if image]


def _gadgets(config: Config, more: Sequence[str]) -> list[str]:
    """List the gadget images: those of configured gadgets, and of those allowed besides."""
    session = config.session
    if session.generation == "builtin":
        return [".*"]  # a built-in gadget is a word of the command
    before = sorted(config.rollout.previous_gadget_images.items())
    images = [*((gadget.name, gadget.image) for gadget in config.gadgets), *before]
    names = [name for name, image in images if not image]
    named = [
        f"{exactly(session.gadget_registry)}/{name}:{exactly(tag)}"
        for tag in (session.gadget_version, config.rollout.previous_gadget_version)
        for name in (*names, *_expressions(more))
        if tag
    ]
    return [*named, *(exactly(image) for _, image in images if image)]


def _expressions(gadgets: Iterable[str]) -> list[str]:
    return ["[a-z0-9_]+" if name == "*" else exactly(name) for name in gadgets]


def _words(plan: Plan, more: Sequence[str]) -> list[str]:
    """List what containers may be told besides flags, joined by blanks."""
    words = _ig_words(plan, more)
    tapped = [f"-- ig {told}" for told in words] if plan.tapped else []
    return [*tapped, *(words if ["ig"] in _commands(plan) else [])]


def _ig_words(plan: Plan, more: Sequence[str]) -> list[str]:
    if plan.session.generation == "image":
        return ["run [^ ]+ -o json -v --timeout [0-9]{1,6}"]
    allowed = {*plan.names, *more}
    known = [
        " ".join(gadget.builtin)
        for gadget in GADGETS.values()
        if gadget.builtin and allowed & {gadget.name, "*"}
    ]
    return [f"({'|'.join(known)}) -o json( --timeout [0-9]{{1,6}})?"]


def _flags(plan: Plan) -> list[str]:
    """List the flags: those that igpipe writes by itself, and the configured ones as they are."""
    free = {
        **_tap_flags(plan),
        **FREE_FLAGS,
        HIDDEN.rstrip("="): f"{exactly(_hidden(plan))}{HIDDEN_MORE}",
    }
    fixed = [
        flag
        for gadget in plan.gadgets
        for flag in ig_arguments(gadget, plan)
        if flag.startswith("--") and "=" in flag and flag.partition("=")[0] not in free
    ]
    listed = [f"{name}={value}" for name, value in free.items()]
    return [*listed, *sorted({exactly(flag) for flag in fixed})]


def _tap_flags(plan: Plan) -> dict[str, str]:
    if not plan.tapped:
        return {}
    names = tap.hidden_namespaces(plan)
    without = {TAP_HIDDEN: exactly(",".join(names))} if names else {}
    store = {TAP_STORE: exactly(tap.STORE)} if plan.carried else {}
    return {TAP_DEADLINE: "[0-9]{1,6}s", **store, **without}


def _hidden(plan: Plan) -> str:
    """Write the namespaces that ig is told to leave out, as it is told."""
    names = dict.fromkeys((plan.cluster.namespace, *plan.session.exclude_namespaces))
    return ",".join(f"!{name}" for name in names)
