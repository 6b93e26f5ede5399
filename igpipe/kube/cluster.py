"""The cluster as the rest of igpipe knows it: its own words in, its own values and errors out."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from igpipe.config.cluster import ClusterConfig
from igpipe.kube import bodies, verbs
from igpipe.kube.channel import Channel, Peer, Request, open_channel
from igpipe.kube.credentials import load_credentials
from igpipe.kube.limit import RateLimit
from igpipe.kube.logs import LogReader, log_query
from igpipe.kube.parse import parse_lease, parse_node, parse_pod
from igpipe.kube.watch import Kind, Trouble, Watch, list_all
from igpipe.model import LeaseState, Node, PodState
from igpipe.telemetry import Telemetry

_CONTROL: Final = 16  # connections for calls and the two watches; calls are short
_NODES: Final = Kind(verbs.LIST_NODES, verbs.WATCH_NODES, parse_node)


class Cluster:
    """
    One API server and the sessions' namespace; made by ``open_cluster``.

    Every method raises a ClusterError and nothing else. ``name`` is the cluster's in records,
    ``server`` the API server's address.
    """

    def __init__(
        self,
        config: ClusterConfig,
        peer: Peer,
        *,
        control: Channel,
        streams: Channel,
        trouble: Trouble,
    ) -> None:
        self.name = config.name or peer.credentials.context or "cluster"
        self.server = str(peer.credentials.configuration.host)
        self._config = config
        self._telemetry = peer.telemetry
        self._control = control
        self._streams = streams
        self._trouble = trouble
        self._watches: list[Watch[Any]] = []

    async def version(self) -> str:
        """Return the API server's version (``v1.34.4``)."""
        answer = await self._control.call(Request(verbs.GET_VERSION))
        return str(answer.get("gitVersion", ""))

    def watch_nodes(self) -> Watch[Node]:
        """Return all nodes by name, after every change; endless, recovers by itself."""
        return self._watch(_NODES)

    def watch_pods(self, selector: str) -> Watch[PodState]:
        """Return the sessions' namespace's Pods that *selector* picks, after every change."""
        return self._watch(_pods(selector))

    async def list_nodes(self) -> list[Node]:
        """List all nodes; Gone if that took the server too long: list again."""
        nodes, _ = await list_all(self._control, _NODES)
        return list(nodes.values())

    async def list_pods(self, selector: str) -> list[PodState]:
        """List the Pods of the sessions' namespace that *selector* picks."""
        pods, _ = await list_all(self._control, _pods(selector))
        return list(pods.values())

    async def create_pod(self, manifest: dict[str, Any], *, dry_run: bool = False) -> PodState:
        """
        Create a Pod, or with *dry_run* let everything be checked but that.

        Conflict: the name is taken. Rejected: invalid, or refused by Pod Security, a quota or a
        webhook.
        """
        query = {"dryRun": "All"} if dry_run else {}
        request = Request(verbs.CREATE_POD, query=query, body=manifest)
        return parse_pod(await self._control.call(request))

    async def delete_pod(self, name: str, *, uid: str, grace_seconds: int) -> None:
        """Delete the Pod *uid*; NotFound: it is gone, Conflict: another has its name."""
        body = bodies.build_deletion(uid, grace_seconds)
        await self._control.call(Request(verbs.DELETE_POD, name, body=body))

    @asynccontextmanager
    async def open_log(
        self, pod: str, container: str, *, since: float | None = None
    ) -> AsyncIterator[LogReader]:
        """
        Follow a container's log, from *since* (unix seconds, down to the whole one) if given.

        Entering may wait as long as the container is silent. Rejected: it has not started yet;
        NotFound: the Pod is gone.
        """
        query = log_query(container, since)
        response = await self._streams.open(Request(verbs.READ_LOG, pod, query, endless=True))
        try:
            yield LogReader(response)
        finally:
            response.close()

    async def get_lease(self, name: str) -> LeaseState:
        """Read a Lease; NotFound if there is none."""
        return parse_lease(await self._control.call(Request(verbs.GET_LEASE, name)))

    async def create_lease(self, lease: LeaseState) -> LeaseState:
        """Create a Lease, whatever uid and version the argument has; Conflict: there is one."""
        body = bodies.build_lease(lease, update=False)
        return parse_lease(await self._control.call(Request(verbs.CREATE_LEASE, body=body)))

    async def update_lease(self, lease: LeaseState) -> LeaseState:
        """Write a Lease; Conflict: it is not the version that *lease* names any more."""
        body = bodies.build_lease(lease, update=True)
        request = Request(verbs.UPDATE_LEASE, lease.name, body=body)
        return parse_lease(await self._control.call(request))

    async def delete_lease(self, lease: LeaseState) -> None:
        """Delete a Lease by one's own rights; Conflict: it is not what *lease* says any more."""
        body = bodies.build_deletion(lease.uid, version=lease.version)
        await self._control.call(Request(verbs.DELETE_LEASE, lease.name, body=body))

    async def create_event(
        self, kind: str, name: str, uid: str, *, reason: str, message: str, warning: bool = False
    ) -> None:
        """Tell, as a Kubernetes Event, what happened to a ``Pod`` or ``Lease`` of ours."""
        body = bodies.build_event(
            {"kind": kind, "name": name, "uid": uid, "namespace": self._config.namespace},
            at=time.time(),
            type="Warning" if warning else "Normal",
            reason=reason,
            message=message,
            instance=self._config.instance,
        )
        await self._control.call(Request(verbs.CREATE_EVENT, body=body))

    async def review_access(
        self,
        verb: str,
        resource: str,
        *,
        subresource: str = "",
        group: str = "",
        namespaced: bool = True,
    ) -> bool:
        """Ask whether we may do *verb*, in the sessions' namespace or everywhere."""
        scope = verbs.Scope.NAMESPACE if namespaced else verbs.Scope.CLUSTER
        asked = verbs.Right(verb, resource, group, subresource, scope)
        body = bodies.build_review(asked, self._config.namespace)
        answer = await self._control.call(Request(verbs.REVIEW_ACCESS, body=body))
        return bool((answer.get("status") or {}).get("allowed"))

    def close(self) -> None:
        """Close what watches hold; ``open_cluster`` does it."""
        for watch in self._watches:
            watch.close()

    def _watch(self, kind: Kind[Any]) -> Watch[Any]:
        watch = Watch(self._control, kind, self._config, self._telemetry, self._trouble)
        self._watches.append(watch)
        return watch


@asynccontextmanager
async def open_cluster(
    config: ClusterConfig,
    telemetry: Telemetry,
    *,
    streams: int,
    trouble: Trouble = lambda condition, reason: None,
) -> AsyncIterator[Cluster]:
    """
    Find the cluster and open connections to it, *streams* of them for logs, for the block.

    Nothing is asked of the API server yet. *trouble* is told when a watch cannot see, and when it
    can again: it has the shape of ``Health.report``. Raises ConfigError if no cluster is
    found, ClusterUnavailable if a credential plugin hangs.
    """
    peer = Peer(
        credentials=await load_credentials(config),
        namespace=config.namespace,
        timeout=config.request_timeout,
        limit=RateLimit(config.requests_per_second, config.request_burst),
        telemetry=telemetry.api,
    )
    async with AsyncExitStack() as stack:
        control = await stack.enter_async_context(
            open_channel(peer, connections=_CONTROL, reuse=True)
        )
        logs = await stack.enter_async_context(open_channel(peer, connections=streams, reuse=False))
        cluster = Cluster(config, peer, control=control, streams=logs, trouble=trouble)
        stack.callback(cluster.close)
        yield cluster


def _pods(selector: str) -> Kind[PodState]:
    return Kind(verbs.LIST_PODS, verbs.WATCH_PODS, parse_pod, selector)
