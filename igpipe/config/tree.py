"""The whole configuration: one section a consumer."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from igpipe.config.cluster import ClusterConfig, NodesConfig
from igpipe.config.forward import DeadLettersConfig, ForwardConfig, Sink, SpoolConfig
from igpipe.config.ledger import LedgerConfig
from igpipe.config.looks import LooksConfig
from igpipe.config.metrics import MetricsConfig
from igpipe.config.rollout import RolloutConfig
from igpipe.config.session import GadgetConfig, Gadgets, LimitsConfig, RotationConfig
from igpipe.config.types import Model, Seconds
from igpipe.gadgets import GADGETS


class WebConfig(Model):
    """Where igpipe listens."""

    host: str = "127.0.0.1"
    """Address to listen on; "" is every one (the chart's choice)."""
    port: int = Field(9469, ge=0, le=65535)
    """Port; 0 takes a free one and tells it in the log."""
    config_file: Path | None = None
    """TLS, users and headers, in the format of the Prometheus exporters (docs/web.md); it is read
    again when it changes. Empty: plain HTTP, open to whoever reaches the port."""
    max_connections: int = Field(256, ge=8)
    """Connections at once; beyond it those that have asked nothing yet are closed first."""


class ClientConfig(Model):
    """How igpipe's commands (look, pause, resume, sessions) reach the igpipe that runs."""

    address: str = Field("", pattern=r"^(https?://[^/?#@]+)?$")
    """As https://igpipe.example:9469; empty: where web says, on this machine."""
    username: str = ""
    """One of the users of web.config_file."""
    password_file: Path | None = None
    """File with that user's password."""
    ca_file: Path | None = None
    """Authorities to trust. Without it and an address, the certificate of web.config_file itself is
    trusted, and no other."""
    cert_file: Path | None = None
    """Certificate to show where clients must have one."""
    key_file: Path | None = None
    """Its key."""


class LogConfig(Model):
    """igpipe's own log, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least level that is written; $IGPIPE_LOG_LEVEL overrides it."""
    format: Literal["text", "json"] = "text"
    """Lines for people or for machines."""


class ServiceConfig(Model):
    """The process."""

    stop_grace: Seconds = Field(25.0, gt=0)
    """How long stopping may take: sessions deleted, sinks drained. Below the Pod's grace."""


class Config(Gadgets):
    """Everything igpipe can be told."""

    cluster: ClusterConfig = Field(default_factory=ClusterConfig)
    nodes: NodesConfig = Field(default_factory=NodesConfig)
    rotation: RotationConfig = Field(default_factory=RotationConfig)
    rollout: RolloutConfig = Field(default_factory=RolloutConfig)
    looks: LooksConfig = Field(default_factory=LooksConfig)
    metrics: MetricsConfig = Field(default_factory=MetricsConfig)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    forward: ForwardConfig = Field(default_factory=ForwardConfig)
    spool: SpoolConfig = Field(default_factory=SpoolConfig)
    sinks: tuple[Sink, ...] = ()
    """Where records go; none: metrics only."""
    dead_letters: DeadLettersConfig = Field(default_factory=DeadLettersConfig)
    ledger: LedgerConfig = Field(default_factory=LedgerConfig)
    web: WebConfig = Field(default_factory=WebConfig)
    client: ClientConfig = Field(default_factory=ClientConfig)
    log: LogConfig = Field(default_factory=LogConfig)
    service: ServiceConfig = Field(default_factory=ServiceConfig)

    @property
    def on_demand(self) -> tuple[GadgetConfig, ...]:
        """The gadgets that run only when somebody asks."""
        if not self.looks.enabled:
            return ()
        asked = GADGETS if "*" in self.looks.gadgets else self.looks.gadgets
        configured = {gadget.name for gadget in self.gadgets}
        return tuple(GadgetConfig(name=name) for name in asked if name not in configured)

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        faults = list(self.gadget_faults())
        names = [sink.name for sink in self.sinks]
        if len(set(names)) != len(names):
            faults.append("sinks: two have one name, expected distinct names")
        if self.session.duration >= self.rotation.period:
            faults.append("session.duration: must be shorter than rotation.period")
        faults += [
            f"looks.gadgets: no gadget {name!r}, expected * or of {', '.join(GADGETS)}"
            for name in self.looks.gadgets
            if name not in (*GADGETS, "*")
        ]
        runs = [gadget.name for gadget in (*self.gadgets, *self.on_demand)]
        faults += [
            f"rollout.previous_gadget_images: no gadget {name!r}, expected of {', '.join(runs)}"
            for name in self.rollout.previous_gadget_images
            if name not in runs
        ]
        if faults:
            raise ValueError("\n".join(faults))
        return self
