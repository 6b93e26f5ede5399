"""Configuration of forwarding: filters, redaction, the spool and the sinks."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from igpipe.config.types import Bytes, Model, Seconds


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise ValueError(f"expected a regular expression: {exc}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class Filter(Model):
    """Events that are not forwarded (metrics still count them)."""

    gadgets: tuple[str, ...] = ()
    """Gadgets it applies to; empty: all."""
    field: str
    """Canonical name or raw dotted path."""
    matches: Pattern
    """A regular expression that the whole field must match to be dropped (or kept)."""
    action: Literal["drop", "keep"] = "drop"
    """drop what matches, or keep only what matches."""


class Redaction(Model):
    """A replacement in fields before anything is stored or sent."""

    fields: tuple[str, ...] = ("args", "fname", "fpath", "name", "path", "file")
    """Canonical names or raw dotted paths."""
    pattern: Pattern
    """A regular expression."""
    replacement: str = "[redacted]"
    """What stands in its place."""


class ForwardConfig(Model):
    """What becomes a record."""

    filters: tuple[Filter, ...] = ()
    """Filters, in order."""
    redact: tuple[Redaction, ...] = ()
    """Redactions, in order."""
    gadgets: tuple[str, ...] = ()
    """Gadgets whose events are forwarded; empty: all."""
    rate_per_container: float = Field(0.0, ge=0)
    """Events a second and container that are forwarded, the rest is shed; 0: no bound."""
    burst_per_container: int = Field(1000, ge=1)
    """Events of a container that may pass at once before the rate applies."""
    batch_bytes: Bytes = Field(2**19, ge=4096)
    """A batch is closed at this size."""
    batch_age: Seconds = Field(1.0, gt=0)
    """A batch is closed at this age."""


class SpoolConfig(Model):
    """The queue between igpipe and its sinks."""

    directory: Path | None = None
    """Where batches are kept on disk, by one process alone; without it they are in memory only."""
    max_bytes: Bytes = Field(256 * 2**20, ge=2**20)
    """Bytes kept for sinks that are behind; beyond it the oldest batches go, counted per sink."""
    max_age: Seconds = Field(6 * 3600.0, gt=0)
    """How long a batch is kept at most."""
    min_free: Bytes = 256 * 2**20
    """Disk space left to others: below it the oldest batches go, then memory is used."""
    memory_bytes: Bytes = Field(64 * 2**20, ge=2**20)
    """Bytes kept in memory while the disk does not take them."""
    sync: Literal["none", "interval", "each"] = "interval"
    """When what was written is forced to the disk. Only a loss of power makes a difference."""
    sync_interval: Seconds = Field(1.0, gt=0)
    """How often it is forced with ``interval``: what a loss of power can cost."""
    compression: Literal["none", "gzip"] = "none"
    """gzip keeps about seven times as much in the same space, for more CPU time."""


class SinkBase(Model):
    """What every sink knows."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    """Names the sink in metrics, logs and on the status page."""
    gadgets: tuple[str, ...] = ()
    """Gadgets whose records it gets; empty: all."""


class HttpSink(SinkBase):
    """What sinks over HTTP have in common."""

    timeout: Seconds = Field(10.0, gt=0)
    """How long one request may take."""
    request_records: int = Field(10_000, ge=1)
    """Records in a request at most; ``request_bytes`` bounds it, too."""
    max_in_flight: int = Field(4, ge=1, le=64)
    """Requests at once; fewer while the server fails or is overloaded."""
    backoff_initial: Seconds = Field(0.5, gt=0)
    """The first wait after a failure; doubles with each further one."""
    backoff_max: Seconds = Field(60.0, gt=0)
    """The longest wait."""
    headers: dict[str, str] = Field(default_factory=dict)
    """More request headers."""
    username: str = ""
    """User for Basic authentication."""
    password_file: Path | None = None
    """File with the password; read at use, so it may change."""
    token_file: Path | None = None
    """File with a Bearer token; read at use, so it may change."""
    api_key_file: Path | None = None
    """File with what follows ``ApiKey`` in Authorization, sent as it is; read at use."""
    ca_file: Path | None = None
    """File with the CA that signed the server's certificate."""

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if sum(map(bool, (self.username, self.token_file, self.api_key_file))) > 1:
            raise ValueError("expected at most one of username, token_file and api_key_file")
        return self


LokiLabel = Literal["service_name", "cluster", "gadget", "node", "namespace"]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
"""Loki refuses a whole request for one label of another form, over and over."""


def _is_label(value: str) -> str:
    if "\ufffd" in value:
        raise ValueError("expected no U+FFFD")
    return value


LabelValue = Annotated[str, AfterValidator(_is_label)]
"""Likewise for a value with what stands for bytes that are no UTF-8."""


def _is_tenant(template: str) -> str:
    if re.search(r"[{}]", template.replace("{namespace}", "")):
        raise ValueError("expected {namespace} as the only thing in braces")
    return template


class LokiSink(HttpSink):
    """Grafana Loki."""

    type: Literal["loki"] = "loki"
    url: str = Field(pattern=r"^https?://")
    """Base address (``http://loki:3100``); the push path is added."""
    labels: tuple[LokiLabel, ...] = ("service_name", "cluster", "gadget")
    """Stream labels; all else is structured metadata. Each value more is a stream more."""
    static_labels: dict[LabelName, LabelValue] = Field(default_factory=dict)
    """More labels with a fixed value."""
    tenant: Annotated[str, AfterValidator(_is_tenant)] = ""
    """X-Scope-OrgID; ``{namespace}`` in it is the event's namespace; empty: none."""
    host_tenant: str = "host"
    """What stands for ``{namespace}`` where an event has none: outside Pods."""
    max_streams: int = Field(1000, ge=1)
    """Distinct label sets; beyond it the varying labels are left out and counted."""
    request_bytes: Bytes = Field(2**21, ge=2**16)
    """Uncompressed size of a request; Loki refuses more than its burst (6 MiB) for ever."""
    replay_after: Seconds = Field(3600.0, gt=0)
    """Older records get the label ``replay="1"``: Loki refuses old entries behind new ones."""
    expire_after: Seconds = Field(7 * 86400.0, gt=0)
    """Older records are not sent: Loki refuses them."""


class ElasticsearchSink(HttpSink):
    """Elasticsearch or OpenSearch: a data stream a gadget."""

    type: Literal["elasticsearch"] = "elasticsearch"
    url: str = Field(pattern=r"^https?://")
    """Base address (``https://elastic:9200``)."""
    namespace: str = Field("default", pattern=r"^[a-z0-9_.]{1,100}$")
    """The last word of ``logs-inspektor_gadget.<gadget>-<word>``; each more is a stream more."""
    document: Literal["ecs", "raw"] = "ecs"
    """ECS fields with the event under ``ig``, or the record alone, which costs less CPU time."""
    request_bytes: Bytes = Field(2**22, ge=2**16)
    """Uncompressed size of a request."""


class OtlpSink(HttpSink):
    """OpenTelemetry logs over HTTP, as protobuf."""

    type: Literal["otlp"] = "otlp"
    url: str = Field(pattern=r"^https?://")
    """Base address (``http://collector:4318``); ``/v1/logs`` is added."""
    request_bytes: Bytes = Field(2**21, ge=2**16)
    """Uncompressed size of a request."""


class StdoutSink(SinkBase):
    """NDJSON records on standard output, for a log agent that reads the container's log."""

    type: Literal["stdout"] = "stdout"


class FileSink(SinkBase):
    """A file of NDJSON records, rotated by size."""

    type: Literal["file"] = "file"
    path: Path
    """The file; its directory must exist."""
    max_bytes: Bytes = Field(2**27, ge=2**16)
    """Size at which the file is rotated."""
    max_files: int = Field(5, ge=1)
    """Rotated files that are kept."""


class DeadLettersConfig(Model):
    """Records that a sink will never take."""

    directory: Path | None = None
    """Where they are kept, in files of NDJSON a sink; without it they are counted and told only."""
    max_bytes: Bytes = Field(2**26, ge=2**16)
    """Size at which a sink's file is rotated."""
    max_files: int = Field(2, ge=1)
    """Rotated files that are kept; older dead letters are dropped and counted."""


AnySink = LokiSink | ElasticsearchSink | OtlpSink | FileSink | StdoutSink
Sink = Annotated[AnySink, Field(discriminator="type")]
