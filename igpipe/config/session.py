"""Configuration of rotation, sessions and gadgets."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from igpipe.config.types import Bytes, Model, Seconds


class RotationConfig(Model):
    """How often every node is looked at, and how many at once."""

    period: Seconds = Field(3600.0, gt=0)
    """Every node is looked at once in it; shorter sees more and costs more."""
    max_slots: int = Field(10, ge=1)
    """Privileged Pods at once, in all; igpipe uses as few as the period needs."""
    max_slots_per_zone: int = Field(0, ge=0)
    """Privileged Pods at once in one failure domain; 0: no bound of its own."""
    cooldown: Seconds = 30.0
    """How long a node rests after a session at least."""
    failure_backoff: Seconds = 60.0
    """How long a node rests after its first failed session; doubles with each further one."""
    failure_backoff_max: Seconds = 3600.0
    """The longest rest of a node that goes on failing."""
    seed: int | None = None
    """Seed of the random order; empty: a new one at each start, told in the log."""
    paused: bool = False
    """Start without sessions until resumed over the API."""
    pause_after_failures: int = Field(10, ge=0)
    """Pause when so many sessions on several nodes failed in a row; 0: never."""
    auto_resume: Seconds = 1800.0
    """How long that pause lasts unless resumed earlier; one more failure then renews it. 0: until
    resumed."""
    pause_on_node_not_ready: int = Field(3, ge=0)
    """Pause, until resumed, when so many nodes turned NotReady during a session; 0: never."""
    not_ready_window: Seconds = Field(3600.0, gt=0)
    """How long a node that turned NotReady during a session is counted."""
    reap_interval: Seconds = Field(120.0, gt=0)
    """How often Pods of this instance that no session owns are removed."""


class Toleration(Model):
    """A toleration of session Pods, as Kubernetes spells it."""

    key: str = ""
    operator: Literal["Exists", "Equal"] = "Exists"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""


class SessionConfig(Model):
    """One stay on one node: the Pod, its ig, its bounds."""

    duration: Seconds = Field(120.0, ge=1)
    """How long every gadget observes (ig's --timeout); longer is a larger share of the truth."""
    start_allowance: Seconds = Field(60.0, gt=0)
    """How long image pull and start may take before the session fails with start_timeout."""
    drain: Seconds = 10.0
    """How long after ig's own end igpipe waits for the rest of the logs."""
    profile: Literal["capabilities", "sysadmin"] = "capabilities"
    """Rights of the Pod: a list of capabilities, or privileged as kubectl debug's sysadmin."""
    generation: Literal["image", "builtin"] = "image"
    """``ig run IMAGE`` (ig ≥ 0.31), or built-in gadgets ``ig trace exec`` (ig < 0.42)."""
    image: str = "ghcr.io/inspektor-gadget/ig:v0.55.1"
    """The image of ig; pin it by digest in production."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Kubernetes' pull policy for ig's image."""
    image_pull_secrets: tuple[str, ...] = ()
    """Names of Secrets in the sessions' namespace for pulling ig's image."""
    gadget_registry: str = "ghcr.io/inspektor-gadget/gadget"
    """Prefix of gadget images; point it at a mirror where the registry is out of reach."""
    gadget_version: str = "v0.55.1"
    """Tag of gadget images; keep it equal to ig's."""
    gadget_store: Literal["empty_dir", "baked", "host_path", "tap"] = "empty_dir"
    """Where gadget images live: pulled for each session, in ig's image, cached on the node, or in
    the tap's image, which brings them: then no session needs a registry. Without the tap such a
    session pulls."""
    gadget_store_path: str = Field("/var/lib/igpipe/ig", pattern=r"^/[^:]*[^/:]$")
    """The node's directory with gadget_store host_path: the one thing left behind on a node."""
    verify_image: bool = True
    """Whether ig verifies the signatures of gadget images."""
    runtime_socket: str = ""
    """containerd's socket on the node where it is not the usual one (as on k3s)."""
    transport: Literal["auto", "logs", "tap"] = "auto"
    """How ig's output leaves the node: plain log lines, or frames of igpipe-tap, which cost the
    cluster a fraction. auto: the tap where tap_image is set and the node can start it."""
    tap_image: str = ""
    """The image of igpipe-tap (deploy/Dockerfile.tap); pin it by digest in production."""
    tap_volume: Literal["copy", "image"] = "copy"
    """How the tap gets to ig: copied by an init container, or its image mounted as a volume
    (Kubernetes 1.33 and later with containerd 2.1 or CRI-O 1.31)."""
    tap_filter: bool = False
    """Leave out events of the sessions' namespace and of exclude_namespaces on the node, byte for
    byte as ig prints them, where ig itself cannot (before 0.45); the tap counts them."""
    trim: bool = True
    """Leave fields that no metric, filter or sink needs out of ig's output (json.skip)."""
    keep_args: bool = True
    """Keep the arguments of executed commands; off: they never leave the node."""
    exclude_namespaces: tuple[str, ...] = ()
    """Namespaces that must not be observed; told to ig and checked again after decoding."""
    tolerations: tuple[Toleration, ...] = (Toleration(),)
    """Tolerations of session Pods; the default tolerates every taint."""
    priority_class: str = ""
    """PriorityClass of session Pods."""
    cpu_request: str = "10m"
    """CPU request of each gadget's container."""
    memory_request: str = "64Mi"
    """Memory request of each gadget's container."""
    memory_limit: str = "512Mi"
    """Memory limit of each gadget's container; too low and ig is killed."""
    ephemeral_storage_limit: str = "1Gi"
    """Local disk of each gadget's container; its log counts."""
    events: bool = True
    """Tell each session's end as a Kubernetes Event, too: one API call a session more."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """More annotations for session Pods."""
    labels: dict[str, str] = Field(default_factory=dict)
    """More labels for session Pods."""

    @property
    def tapped(self) -> bool:
        """Whether igpipe-tap runs ig, and its log holds frames."""
        return self.transport != "logs" and bool(self.tap_image)


class GadgetConfig(Model):
    """One gadget that every session runs, in a container of its own."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)
    """The gadget as Inspektor Gadget names it: trace_exec, top_file, snapshot_process…"""
    image: str = ""
    """Its image; empty: gadget_registry/name:gadget_version."""
    interval: Seconds = Field(5.0, ge=1)
    """How often top_*, snapshot_* and profile_* gadgets report."""
    params: dict[str, str] = Field(default_factory=dict)
    """More of the gadget's own flags, without dashes (``min: "5000"``)."""
    annotate: dict[str, str] = Field(default_factory=dict)
    """More annotations for the gadget (``exec.cwd: json.skip=true``)."""


class LimitsConfig(Model):
    """Bounds that keep memory, the API server and the nodes safe."""

    line: Bytes = Field(2**20, ge=4096)
    """The longest line of a tracing gadget; longer ones are rejected and counted."""
    array_line: Bytes = Field(2**24, ge=4096)
    """The longest line of a gadget that prints arrays (top_*, snapshot_*, profile_*)."""
    stream_queue: Bytes = Field(8 * 2**20, ge=2**16)
    """Bytes that one stream may have waiting; beyond it whole lines are dropped and counted."""
    queue: Bytes = Field(128 * 2**20, ge=2**16)
    """Bytes that all streams may have waiting."""
    stream_bytes_per_second: Bytes = 32 * 2**20
    """A stream beyond it for budget_patience is ended (outcome budget); 0: no bound."""
    apiserver_bytes_per_second: Bytes = 64 * 2**20
    """All streams beyond it for budget_patience: the loudest is ended; 0: no bound."""
    budget_patience: Seconds = Field(5.0, gt=0)
    """How long a budget may be overrun before a stream is ended."""


def _named(value: Any) -> Any:
    """Read ``gadgets: [trace_exec]`` as ``gadgets: [{name: trace_exec}]``."""
    return {"name": value} if isinstance(value, str) else value


# On the item, not on the tree: a validator before the tree would hand pydantic Python lists, and
# only JSON's become tuples under strict.
ListedGadget = Annotated[
    GadgetConfig, BeforeValidator(_named, json_schema_input_type=str | GadgetConfig)
]
DEFAULT_GADGETS = ("trace_exec", "trace_dns", "top_file", "top_tcp", "snapshot_process")


def default_gadgets() -> tuple[GadgetConfig, ...]:
    """List the gadgets that run where the configuration names none."""
    return tuple(GadgetConfig(name=name) for name in DEFAULT_GADGETS)


class Gadgets(Model):
    """Mixed into the tree: what every session runs."""

    session: SessionConfig = Field(default_factory=SessionConfig)
    gadgets: tuple[ListedGadget, ...] = Field(default_factory=default_gadgets, min_length=1)

    def gadget_faults(self) -> Iterator[str]:
        """Tell what is wrong with the gadgets together, each fault as ``key: problem``."""
        if self.session.transport == "tap" and not self.session.tap_image:
            yield "session.tap_image: empty, expected an image with transport: tap"
        if self.session.gadget_store == "tap" and not self.session.tapped:
            yield "session.gadget_store: tap, expected session.tap_image and a transport with it"
        names = [gadget.name for gadget in self.gadgets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            yield f"gadgets: {', '.join(twice)} listed twice, expected each once"
