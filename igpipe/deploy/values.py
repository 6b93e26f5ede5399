"""
The chart's values: one model, from which values.yaml, its schema and its reference are written.

Keys are in Helm's spelling. Pure.
"""

from typing import Any, Literal

from pydantic import Field

from igpipe.config import Config
from igpipe.config.types import Model


class Image(Model):
    """igpipe's own image; that of ig is `config.session.image`."""

    repository: str = Field("igpipe", min_length=1)
    """Where it was pushed to, without a tag."""
    tag: str = ""
    """Its tag; empty: the chart's appVersion."""
    digest: str = Field("", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """`sha256:…`; goes before the tag, and is the better pin."""
    pullPolicy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Kubernetes' pull policy for it."""
    pullSecrets: tuple[str, ...] = ()
    """Names of Secrets for pulling it. For ig's image: `config.session.image_pull_secrets`."""


class Namespaces(Model):
    """
    The two namespaces and their Pod Security labels.

    The sessions' one is named by `config.cluster.namespace`; igpipe's own one is the release's.
    """

    sessions: bool = True
    """Create the sessions' namespace (Pod Security `privileged`, a quota on Pods)."""
    own: bool = False
    """Create igpipe's own (Pod Security `restricted`); not with Helm's --create-namespace."""


class ServiceAccount(Model):
    """The account that igpipe asks the API server as."""

    create: bool = True
    """Create it."""
    name: str = ""
    """Its name; empty: the release's."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Its annotations."""


class Rbac(Model):
    """Roles that hold what igpipe calls, and nothing else."""

    create: bool = True
    """Create and bind them."""


class Policy(Model):
    """
    ValidatingAdmissionPolicies: in the sessions' namespace only igpipe creates Pods of its shape.

    They follow from `config`, and change with it. Kubernetes 1.31 and later.
    """

    enabled: bool = True
    """Create them; off only where another engine has the same rules."""
    allowUsers: tuple[str, ...] = ()
    """Users who may create session Pods, too, as the API server names them."""
    allowImages: tuple[str, ...] = ()
    """Images of ig besides `config.session.image`; `PREFIX*` for all that begin so."""
    allowGadgets: tuple[str, ...] = ()
    """Gadgets besides those that `config` names; `*` for all of the registry."""
    deadline: int = Field(0, ge=0)
    """Longest life of a session's Pod in seconds; 0: what `config` needs, at least 600."""


class Persistence(Model):
    """
    A volume for what is to outlive the Pod: spool, dead letters, ledger, the last looks.

    With it igpipe is a StatefulSet, without it a Deployment that keeps the last looks in an
    emptyDir, the spool in memory, and no ledger.
    """

    enabled: bool = False
    """Whether there is one."""
    size: str = Field("2Gi", pattern=r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$")
    """Its size: `spool.max_bytes` and `spool.min_free`, the ledger, and 200 MiB a sink."""
    storageClass: str = ""
    """Its class; empty: the cluster's default."""
    accessModes: tuple[str, ...] = ("ReadWriteOnce",)
    """ReadWriteOncePod is stricter where the driver has it."""
    existingClaim: str = ""
    """A claim that is there already, instead of one of the StatefulSet's own."""


class Service(Model):
    """The Service before igpipe's port: metrics, status page, API."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Its type. Whoever reaches it reads names of processes and Pods."""
    scheme: Literal["http", "https"] = "http"
    """What igpipe speaks there; `https` if its web configuration has TLS."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Its annotations."""


class Scrape(Model):
    """Annotations for a Prometheus that finds Pods by prometheus.io/scrape."""

    annotations: bool = True
    """Write them, unless there is a ServiceMonitor. That job needs `honor_labels: true`."""


class ServiceMonitor(Model):
    """For the Prometheus operator; always with `honorLabels`, which igpipe's labels need."""

    enabled: bool = False
    """Create it; its CustomResourceDefinition must be there."""
    interval: str = Field("30s", pattern=r"^([0-9]+(ms|s|m|h))+$")
    """How often it is scraped; at most half of `config.metrics.zero_hold`."""
    scrapeTimeout: str = Field("10s", pattern=r"^([0-9]+(ms|s|m|h))+$")
    """How long a scrape may take."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels by which your Prometheus selects it."""
    relabelings: tuple[dict[str, Any], ...] = ()
    """More relabelings of the target."""
    metricRelabelings: tuple[dict[str, Any], ...] = ()
    """Relabelings of samples."""
    endpoint: dict[str, Any] = Field(default_factory=dict)
    """More keys of the endpoint: basicAuth, tlsConfig."""


class PrometheusRule(Model):
    """Alerts and recording rules for the Prometheus operator."""

    enabled: bool = False
    """Create it; its CustomResourceDefinition must be there."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels by which your Prometheus selects it."""
    groups: str = ""
    """What `igpipe rules` prints for `config`, by `--set-file`; empty: the rules for the defaults,
    whose windows fit the default period."""
    runbooks: str = "docs/runbooks"
    """Where docs/runbooks is to be read: the address that alerts lead to."""


class Dashboards(Model):
    """Grafana's dashboards, as ConfigMaps that its sidecar collects."""

    enabled: bool = False
    """Create them."""
    labels: dict[str, str] = Field(default_factory=lambda: {"grafana_dashboard": "1"})
    """Labels by which the sidecar selects them."""
    annotations: dict[str, str] = Field(default_factory=lambda: {"grafana_folder": "igpipe"})
    """The folder, where the sidecar reads it from an annotation."""


class NetworkPolicy(Model):
    """Who may reach igpipe's port, and what igpipe may reach."""

    enabled: bool = True
    """Create it: nothing but the one port."""
    sources: tuple[dict[str, Any], ...] = ()
    """Who may reach it (a NetworkPolicy's `from`); empty: everybody."""
    egress: tuple[dict[str, Any], ...] = ()
    """What igpipe may reach (API server, DNS, sinks); empty: everything."""


class PodDisruptionBudget(Model):
    """Whether drains may move igpipe; its sessions end properly, and it goes on elsewhere."""

    enabled: bool = False
    """Create it."""
    maxUnavailable: int = Field(1, ge=0, le=1)
    """1: drains go on; 0: they wait until somebody moves igpipe."""


class Resources(Model):
    """What igpipe's container asks for and may take at most; see Sizing."""

    requests: dict[str, str] = Field(default_factory=lambda: {"cpu": "100m", "memory": "256Mi"})
    """What the scheduler sets aside."""
    limits: dict[str, str] = Field(default_factory=lambda: {"memory": "1Gi"})
    """No CPU limit: a throttled igpipe drops lines."""


class Pod(Model):
    """More about igpipe's own Pod."""

    annotations: dict[str, str] = Field(default_factory=dict)
    """Its annotations."""
    labels: dict[str, str] = Field(default_factory=dict)
    """More labels."""
    nodeSelector: dict[str, str] = Field(default_factory=dict)
    """Nodes it may run on, besides being Linux."""
    tolerations: tuple[dict[str, Any], ...] = ()
    """Taints it tolerates."""
    affinity: dict[str, Any] = Field(default_factory=dict)
    """Its affinity."""
    priorityClassName: str = ""
    """Its PriorityClass."""
    user: int | None = Field(65532, ge=1)
    """User, group and fsGroup; null: as the platform says (OpenShift)."""
    env: tuple[dict[str, Any], ...] = ()
    """More environment: HTTPS_PROXY and the like; secrets are files, see `secrets`."""
    volumes: tuple[dict[str, Any], ...] = ()
    """More volumes: a CA bundle in a ConfigMap."""
    volumeMounts: tuple[dict[str, Any], ...] = ()
    """Where they are mounted."""


class Values(Model):
    """Everything that the chart can be told."""

    config: Config = Field(default_factory=Config)
    """igpipe's own configuration, as in config/igpipe.yaml: what differs from the defaults."""
    enabled: bool = True
    """igpipe itself; false: only namespaces, rights and policies, for one outside the cluster."""
    fullnameOverride: str = Field("", pattern=r"^([a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?)?$")
    """The name of everything; empty: the release's, with igpipe in it."""
    image: Image = Field(default_factory=Image)
    secrets: tuple[str, ...] = ()
    """Names of Secrets in igpipe's namespace; each is mounted at /run/secrets/igpipe/NAME."""
    namespaces: Namespaces = Field(default_factory=Namespaces)
    serviceAccount: ServiceAccount = Field(default_factory=ServiceAccount)
    rbac: Rbac = Field(default_factory=Rbac)
    policy: Policy = Field(default_factory=Policy)
    persistence: Persistence = Field(default_factory=Persistence)
    resources: Resources = Field(default_factory=Resources)
    pod: Pod = Field(default_factory=Pod)
    service: Service = Field(default_factory=Service)
    scrape: Scrape = Field(default_factory=Scrape)
    serviceMonitor: ServiceMonitor = Field(default_factory=ServiceMonitor)
    prometheusRule: PrometheusRule = Field(default_factory=PrometheusRule)
    dashboards: Dashboards = Field(default_factory=Dashboards)
    networkPolicy: NetworkPolicy = Field(default_factory=NetworkPolicy)
    podDisruptionBudget: PodDisruptionBudget = Field(default_factory=PodDisruptionBudget)
