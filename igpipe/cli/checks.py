"""The checks of ``doctor``: each asks for one thing that igpipe needs."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from igpipe.cli.findings import BUSY, Finding, failure, ok, told
from igpipe.cli.nodecheck import check_nodes
from igpipe.cli.podcheck import Admission, check_pod
from igpipe.config import AnySink, Config
from igpipe.errors import ClusterError, ClusterUnavailable, ConfigError, SinkDenied, SinkError
from igpipe.kube.verbs import REVIEW_ACCESS, RIGHTS, Right, Scope
from igpipe.model import Node
from igpipe.sinks import probe
from igpipe.text import safe

_PROBE_SECONDS: Final = 10.0


class Cluster(Admission, Protocol):
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


async def check_cluster(cluster: Cluster, config: Config) -> list[Finding]:
    """Check the API server and what igpipe does there; further checks need the earlier ones."""
    try:
        version = await cluster.version()
    except ClusterError as exc:
        remedy = "check cluster.kubeconfig, cluster.context, the network and the credentials"
        return [failure(f"API server {safe(cluster.server)}: {told(exc)}", remedy)]
    found = [ok(f"API server {safe(cluster.server)} answers: {safe(version)}")]
    found += await check_rights(cluster, config.cluster.namespace)
    try:
        nodes = await cluster.list_nodes()
    except ClusterError as exc:
        remedy = BUSY if isinstance(exc, ClusterUnavailable) else "grant the rights above"
        return [*found, failure(f"nodes cannot be listed: {told(exc)}", remedy)]
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
        except ClusterUnavailable as exc:
            return [failure(f"rights cannot be asked for: {told(exc)}", BUSY)]
        except ClusterError as exc:
            remedy = "allow selfsubjectaccessreviews, which Kubernetes grants to every user"
            return [failure(f"rights cannot be asked for: {told(exc)}", remedy)]
        granted += allowed
        if not allowed:
            found.append(_missing(right, namespace))
    return [*found, ok(f"{granted} of {len(needed)} rights are granted")]


async def check_sinks(sinks: Sequence[AnySink]) -> list[Finding]:
    """Knock at every sink, without giving it a record."""
    if not sinks:
        return [ok("no sinks: metrics only")]
    return [await _check_sink(sink) for sink in sinks]


async def _check_sink(sink: AnySink) -> Finding:
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
