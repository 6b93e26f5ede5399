"""Configuration of the API server's side: which cluster, and which of its nodes."""

from pathlib import Path

from pydantic import Field

from igpipe.config.types import Model, Seconds


class ClusterConfig(Model):
    """How igpipe reaches the cluster, and how much it may ask of it."""

    name: str = Field("", max_length=253)
    """The cluster's name in every record; empty: the kubeconfig's context, or "cluster"."""
    kubeconfig: Path | None = None
    """Path of a kubeconfig; empty: in-cluster if there is a service account, else $KUBECONFIG."""
    context: str = ""
    """The kubeconfig's context; empty: its current one."""
    namespace: str = Field("igpipe-sessions", pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    """The namespace of session Pods and of igpipe's Lease; nothing else should live there."""
    instance: str = Field("default", pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")
    """Names this igpipe; of several processes with one instance, the Lease lets one act."""
    requests_per_second: float = Field(20.0, gt=0)
    """API calls a second; lower is kinder, too low delays sessions."""
    request_burst: int = Field(40, ge=1)
    """API calls that may go at once before the rate applies."""
    request_timeout: Seconds = 15.0
    """How long one API call (not a watch or a log) may take."""
    watch_silence: Seconds = 330.0
    """A watch that says nothing for so long is renewed; lower finds a dead connection sooner."""
    lease_duration: Seconds = 30.0
    """After so long without renewal another process may take the instance over."""


class NodesConfig(Model):
    """Which nodes are looked at. Linux nodes only, never virtual kubelets."""

    selector: str = ""
    """A label selector (``pool=web,tier!=db``); empty: all nodes."""
    exclude: tuple[str, ...] = ()
    """Node names or globs (``gpu-*``) that are never looked at."""
    exclude_annotation: str = "igpipe.io/exclude"
    """A node with this label or annotation set to "true" is never looked at."""
    control_plane: bool = False
    """Whether control-plane nodes are looked at, too."""
