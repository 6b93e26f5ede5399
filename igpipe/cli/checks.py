"""The checks of ``doctor``: each asks for one thing that igpipe needs."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, Protocol

from igpipe.cli.findings import Finding, failure, ok, older, some, warning
from igpipe.config import Config, FileSink, LokiSink
from igpipe.errors import (
    ClusterDenied,
    ClusterError,
    ConfigError,
    Conflict,
    NotFound,
    Rejected,
    SinkDenied,
    SinkError,
)
from igpipe.kube.verbs import REVIEW_ACCESS, RIGHTS, Right, Scope
from igpipe.model import LeaseState, Node, PodState, Skip
from igpipe.nodes import select
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan, lease_name
from igpipe.sinks import probe
from igpipe.text import safe

_PROBE_SECONDS: Final = 10.0
_PASSING: Final = (Skip.NOT_READY, Skip.CORDONED, Skip.LEAVING)
_REFUSALS: Final = {
    "podsecurity": "label the namespace pod-security.kubernetes.io/enforce=privileged",
    "quota": "raise the quota of the namespace, or lower session.*_request and *_limit",
    "limitrange": "widen the LimitRange of the namespace, or set session.*_limit within it",
    "limits to be": "widen the LimitRange of the namespace, or set session.*_limit within it",
    "priorityclass": "create the PriorityClass, or change session.priority_class",
    "admission webhook": "make an exception for igpipe's Pods in that webhook's policy",
    "validatingadmissionpolicy": "make an exception for igpipe's Pods in that policy",
}


class Cluster(Protocol):
    """The calls that the checks make."""

    server: str

    async def version(self) -> str:
        """Ask for the API server's version."""

    async def review_access(
        self, verb: str, resource: str, *, subresource: str, group: str, namespaced: bool
    ) -> bool:
        """Ask for one right."""

    async def list_nodes(self) -> list[Node]:
        """Ask for all nodes."""

    async def get_lease(self, name: str) -> LeaseState:
        """Ask for igpipe's Lease."""

    async def create_pod(self, manifest: dict[str, Any], *, dry_run: bool) -> PodState:
        """Ask whether a Pod would be created."""


async def check_cluster(cluster: Cluster, config: Config) -> list[Finding]:
    """Check the API server and what igpipe does there; further checks need the earlier ones."""
    try:
        version = await cluster.version()
    except ClusterError as exc:
        remedy = "check cluster.kubeconfig, cluster.context, the network and the credentials"
        return [failure(f"API server {safe(cluster.server)}: {_told(exc)}", remedy)]
    found = [ok(f"API server {safe(cluster.server)} answers: {safe(version)}")]
    found += await check_rights(cluster, config.cluster.namespace)
    try:
        nodes = await cluster.list_nodes()
    except ClusterError as exc:
        return [*found, failure(f"nodes cannot be listed: {_told(exc)}", "grant the rights above")]
    eligible, findings = check_nodes(nodes, config)
    found += findings
    if eligible:
        found.append(await check_pod(cluster, config, eligible[0]))
    return found


async def check_rights(cluster: Cluster, namespace: str) -> list[Finding]:
    """Ask for every right that igpipe uses; one line for all that are granted."""
    needed = [r for r in RIGHTS if r.scope is not Scope.SERVER and r is not REVIEW_ACCESS]
    found, granted = [], 0
    for right in needed:
        try:
            allowed = await _allowed(cluster, right)
        except ClusterError as exc:
            remedy = "allow selfsubjectaccessreviews, which Kubernetes grants to every user"
            return [failure(f"rights cannot be asked for: {_told(exc)}", remedy)]
        granted += allowed
        if not allowed:
            found.append(_missing(right, namespace))
    return [*found, ok(f"{granted} of {len(needed)} rights are granted")]


def check_nodes(nodes: Sequence[Node], config: Config) -> tuple[tuple[Node, ...], list[Finding]]:
    """Tell which nodes are looked at, which are not and why, and which are too old."""
    selection = select({node.name: node for node in nodes}, config.nodes)
    eligible = selection.eligible
    found = [ok(f"{len(eligible)} of {len(nodes)} nodes are selected")]
    if not eligible:
        found = [failure("no node is selected", "check nodes.selector, exclude, control_plane")]
    by_reason: defaultdict[Skip, list[str]] = defaultdict(list)
    for name, reason in selection.skipped.items():
        by_reason[reason].append(name)
    for reason, names in by_reason.items():
        text = f"{len(names)} skipped, {reason.value.replace('_', ' ')}: {some(names)}"
        passing = reason in _PASSING
        found.append(
            warning(text, "they are blind spots until they are back") if passing else ok(text)
        )
    return eligible, [*found, *_ages(eligible)]


async def check_pod(cluster: Cluster, config: Config, node: Node) -> Finding:
    """Let the API server check the exact Pod of a session, without creating it."""
    plan = Plan(config.cluster, config.rotation, config.session, config.gadgets)
    name = safe(node.name, 63)
    try:
        owner = await _owner(cluster, config)
        manifest = build_manifest(plan, node.name, "doctor", owner)
        await cluster.create_pod(manifest, dry_run=True)
    except Conflict:
        return ok(f"a session's Pod is on {name} right now")
    except NotFound as exc:
        remedy = f"create the namespace {config.cluster.namespace}"
        return failure(f"a session's Pod would be refused: {_told(exc)}", remedy)
    except (ClusterDenied, Rejected) as exc:
        return failure(f"a session's Pod would be refused: {_told(exc)}", _remedy(str(exc)))
    except ClusterError as exc:
        return failure(f"a session's Pod could not be tried: {_told(exc)}", "try again")
    return ok(f"a session's Pod would be admitted on {name} (profile {config.session.profile})")


async def check_sinks(sinks: Sequence[LokiSink | FileSink]) -> list[Finding]:
    """Knock at every sink, without giving it a record."""
    if not sinks:
        return [ok("no sinks: metrics only")]
    return [await _check_sink(sink) for sink in sinks]


async def _check_sink(sink: LokiSink | FileSink) -> Finding:
    about = f"sink {sink.name} ({sink.type})"
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await probe(sink)
    except TimeoutError:
        return failure(f"{about}: no answer", "check its address and the network")
    except SinkDenied as exc:
        return failure(f"{about}: {safe(str(exc))}", "check its credentials, tenant and address")
    except (SinkError, ConfigError) as exc:
        return failure(f"{about}: {safe(str(exc))}", "check its address and whether it is up")
    return ok(f"{about} takes records")


async def _allowed(cluster: Cluster, right: Right) -> bool:
    return await cluster.review_access(
        right.verb,
        right.resource,
        subresource=right.subresource,
        group=right.group,
        namespaced=right.scope is Scope.NAMESPACE,
    )


def _missing(right: Right, namespace: str) -> Finding:
    thing = "/".join(part for part in (right.resource, right.subresource) if part)
    in_group = f" of {right.group}" if right.group else ""
    inside = right.scope is Scope.NAMESPACE
    where = f"a Role in {namespace}" if inside else "a ClusterRole"
    return failure(
        f"the right to {right.verb} {thing}{in_group} is missing", f"grant it by {where}"
    )


def _ages(nodes: Sequence[Node]) -> list[Finding]:
    found = []
    kubelets = [node.name for node in nodes if older(node.kubelet_version, 1, 29)]
    if kubelets:
        text = f"{len(kubelets)} kubelets below 1.29 may fall silent when a log is rotated"
        found.append(
            warning(f"{text}: {some(kubelets)}", "upgrade, or keep session.duration short")
        )
    kernels = [node.name for node in nodes if older(node.kernel_version, 5, 10)]
    if kernels:
        text = f"{len(kernels)} kernels below 5.10, on which gadgets may not load"
        found.append(warning(f"{text}: {some(kernels)}", "upgrade, or exclude those nodes"))
    return found


async def _owner(cluster: Cluster, config: Config) -> str:
    """Return the uid of igpipe's Lease, which owns session Pods; empty before its first start."""
    try:
        return (await cluster.get_lease(lease_name(config.cluster.instance))).uid
    except (NotFound, ClusterDenied):
        return ""


def _remedy(message: str) -> str:
    plain = message.lower()
    fitting = (remedy for word, remedy in _REFUSALS.items() if word in plain)
    return next(fitting, "the message says what refuses it; change that, or session.* to fit")


def _told(exc: ClusterError) -> str:
    return safe(str(exc), 400) or type(exc).__name__
