"""Find the nodes of a Pod or workload, by the rights of whoever asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igpipe.errors import ClusterDenied, ClusterError, InputError
from igpipe.text import safe

if TYPE_CHECKING:
    from igpipe.config import Config
    from igpipe.model import PodState


@dataclass(frozen=True, slots=True)
class Target:
    """The nodes to look at, and the part of them to show; all of it if there is no namespace."""

    nodes: tuple[str, ...]
    namespace: str = ""
    pods: tuple[str, ...] = ()
    workload: str = ""

    def body(self) -> dict[str, object]:
        """Return it as the API takes it."""
        return {
            "nodes": self.nodes,
            "namespace": self.namespace,
            "pods": self.pods,
            "workload": self.workload,
        }


async def find(config: "Config", *, pod: str, workload: str) -> Target:
    """
    Find where a Pod or the Pods of a workload run (each ``NAMESPACE/NAME``).

    That takes the right to list Pods in that namespace, which igpipe itself does not have: it is
    the kubeconfig's user who asks. Raises InputError.
    """
    namespace, _, name = (pod or workload).partition("/")
    if not namespace or not name or "/" in name:
        raise InputError(f"{safe(pod or workload)}: expected NAMESPACE/NAME")
    pods = await _list(config, namespace)
    return pod_target(pods, namespace, name) if pod else workload_target(pods, namespace, name)


def pod_target(pods: "Iterable[PodState]", namespace: str, name: str) -> Target:
    """Find one Pod. Raises InputError if it is not there, or on no node yet."""
    found = next((pod for pod in pods if pod.name == name), None)
    if found is None:
        raise InputError(f"there is no Pod {safe(namespace)}/{safe(name)}")
    if not found.node:
        raise InputError(f"Pod {safe(namespace)}/{safe(name)} is on no node yet")
    return Target((found.node,), namespace, (name,))


def workload_target(pods: "Iterable[PodState]", namespace: str, name: str) -> Target:
    """
    Find all Pods of a Deployment, StatefulSet, DaemonSet, Job or CronJob.

    Raises InputError if none of them runs.
    """
    found = [pod for pod in pods if name in _owners(pod)]
    nodes = tuple(dict.fromkeys(pod.node for pod in found if pod.node and _runs(pod)))
    if not nodes:
        what = "is on a node" if found else "was found"
        raise InputError(f"no Pod of the workload {safe(namespace)}/{safe(name)} {what}")
    return Target(nodes, namespace, tuple(pod.name for pod in found), name)


async def _list(config: "Config", namespace: str) -> "list[PodState]":
    from igpipe.kube import open_cluster
    from igpipe.telemetry import Telemetry

    there = config.cluster.model_copy(update={"namespace": namespace})
    try:
        async with open_cluster(there, Telemetry(), streams=1) as cluster:
            return await cluster.list_pods("")
    except ClusterDenied as exc:
        right = f"the right to list Pods in namespace {safe(namespace)} must be yours"
        raise InputError(f"{exc}: {right}; or name the node with --node") from None
    except ClusterError as exc:
        raise InputError(f"cannot list Pods: {exc}") from None


def _owners(pod: "PodState") -> set[str]:
    """Name what a Pod may be said to be of: its controller, and that one's, by their names."""
    from igpipe.decode import workload

    names = {workload(pod.name), pod.owner}
    suffix = f"-{_hash(pod.labels)}"
    if len(suffix) > 1 and pod.owner.endswith(suffix):
        names.add(pod.owner.removesuffix(suffix))
    return names - {""}


def _hash(labels: Mapping[str, str]) -> str:
    return labels.get("pod-template-hash", "")


def _runs(pod: "PodState") -> bool:
    return pod.phase not in ("Succeeded", "Failed")
