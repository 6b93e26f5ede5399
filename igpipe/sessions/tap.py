"""
How igpipe-tap gets onto a node and in front of ig. Pure.

An init container copies the program, and the gadget images that its image may carry, into a volume
of the Pod, which ig's containers mount read-only; ig's image stays the official one. Where the
cluster has image volumes, the image is mounted as it is. Nothing of it stays on the node.
"""

from typing import Any, Final

from igpipe.config import GadgetConfig
from igpipe.model import ContainerState, Phase, PodState
from igpipe.sessions.command import ig_arguments
from igpipe.sessions.plan import Plan, timeout_seconds

Manifest = dict[str, Any]

NAME: Final = "tap"
"""Of the volume and of the init container."""
PLACE: Final = "/igpipe"
PROGRAM: Final = f"{PLACE}/igpipe-tap"
STORE: Final = f"{PLACE}/store"
"""Of gadget images, as an OCI layout."""
_INSTALL: Final = ["/igpipe-tap"]  # as it lies in its own image
_NOBODY: Final = 65532
_ROOM: Final = "16Mi"
_NOT_CREATED: Final = "CreateContainerError"
_STORE_ROOM: Final = "512Mi"  # a gadget's image takes from 0.1 to some MiB


def command(gadget: GadgetConfig, plan: Plan) -> tuple[list[str], list[str]]:
    """Write command and arguments of one gadget's container. Raises ConfigError as ig's do."""
    arguments = ig_arguments(gadget, plan)
    if not plan.tapped:
        return ["ig"], arguments
    return [PROGRAM], [*_flags(plan), "--", "ig", *arguments]


def volumes(plan: Plan) -> list[Manifest]:
    """List what the tap adds to the Pod's volumes."""
    session = plan.session
    if not plan.tapped:
        return []
    if session.tap_volume == "image":
        image = {"reference": session.tap_image, "pullPolicy": session.image_pull_policy}
        return [{"name": NAME, "image": image}]
    return [{"name": NAME, "emptyDir": {"sizeLimit": _room(plan)}}]


def mounts(plan: Plan) -> list[Manifest]:
    """List what the tap adds to a gadget's mounts."""
    return [{"name": NAME, "mountPath": PLACE, "readOnly": True}] if plan.tapped else []


def init_containers(plan: Plan) -> list[Manifest]:
    """Make the container that copies the program; it needs no right at all."""
    session = plan.session
    if not plan.tapped or session.tap_volume == "image":
        return []
    asked = {"cpu": "10m", "memory": _ROOM, "ephemeral-storage": _ROOM}
    return [
        {
            "name": NAME,
            "image": session.tap_image,
            "imagePullPolicy": session.image_pull_policy,
            "command": list(_INSTALL),
            "args": ["install", PLACE],
            "securityContext": {
                "runAsUser": _NOBODY,
                "runAsNonRoot": True,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "resources": {
                "requests": asked,
                "limits": {"memory": "64Mi", "ephemeral-storage": _room(plan)},
            },
            "volumeMounts": [{"name": NAME, "mountPath": PLACE}],
        }
    ]


def hidden_namespaces(plan: Plan) -> list[str]:
    """Name the namespaces whose events are left out on the node, if that is asked for."""
    if not plan.session.tap_filter:
        return []
    return list(dict.fromkeys((plan.cluster.namespace, *plan.session.exclude_namespaces)))


def start_fault(plan: Plan, pod: PodState) -> str:
    """Say why the tap cannot start in *pod*; empty if nothing is known against it."""
    if plan.tapped and plan.session.tap_volume == "image":
        return _volume_fault(plan, pod)
    faults = (_init_fault(init) for init in pod.init_containers if init.name == NAME)
    return next(filter(None, faults), "")


def _volume_fault(plan: Plan, pod: PodState) -> str:
    """
    Say what keeps the image from being mounted.

    API servers without the feature leave the volume out and say nothing; runtimes without it
    cannot create the container; an image that does not come is told like the container's own.
    """
    if NAME not in pod.volumes:
        return "the API server leaves image volumes out: its feature gate ImageVolume is off"
    waiting = (each for each in pod.containers if each.phase is Phase.WAITING)
    told = ((each.reason, f"{each.reason} {each.message}") for each in waiting)
    image = plan.session.tap_image
    return next((text for why, text in told if why == _NOT_CREATED or image in text), "")


def _init_fault(init: ContainerState) -> str:
    if init.phase is Phase.TERMINATED and init.exit_code:
        return f"exit code {init.exit_code} {init.reason} {init.message}".strip()
    if init.phase is Phase.WAITING and init.reason not in ("", "PodInitializing"):
        return "" if init.reason == "ContainerCreating" else f"{init.reason} {init.message}".strip()
    return ""


def _room(plan: Plan) -> str:
    return _STORE_ROOM if plan.carried else _ROOM


def _flags(plan: Plan) -> list[str]:
    # ig's own timeout begins when it is ready, the tap's deadline when it is started.
    deadline = timeout_seconds(plan.session) + round(plan.session.start_allowance)
    flags = [f"--deadline={deadline}s"]
    if plan.carried:
        flags.append(f"--store={STORE}")
    if names := hidden_namespaces(plan):
        flags.append(f"--without={','.join(names)}")
    return flags
