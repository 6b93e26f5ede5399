"""Whether a session's Pod would be admitted: Pod Security, quotas, webhooks."""

from typing import Any, Final, Protocol

from igpipe.cli.findings import BUSY, Finding, failure, ok, told, warning
from igpipe.config import Config
from igpipe.errors import ClusterDenied, ClusterError, Conflict, NotFound, Rejected
from igpipe.metrics import active_rules
from igpipe.model import LeaseState, Node, PodState
from igpipe.needs import needed_fields
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan, lease_name
from igpipe.sessions.tap import start_fault
from igpipe.text import safe

_REFUSALS: Final = {
    "cannot create resource": "grant the rights above",
    "podsecurity": "label the namespace pod-security.kubernetes.io/enforce=privileged",
    "quota": "raise the quota of the namespace, or lower session.*_request and *_limit",
    "limitrange": "widen the LimitRange of the namespace, or set session.*_limit within it",
    "limits to be": "widen the LimitRange of the namespace, or set session.*_limit within it",
    "priorityclass": "create the PriorityClass, or change session.priority_class",
    "admission webhook": "make an exception for igpipe's Pods in that webhook's policy",
    "validatingadmissionpolicy": "is it igpipe's? apply what `igpipe deploy policies` prints",
}


class Admission(Protocol):
    """The calls that this check makes."""

    async def get_lease(self, name: str) -> LeaseState:
        """Ask for igpipe's Lease."""

    async def create_pod(self, manifest: dict[str, Any], *, dry_run: bool) -> PodState:
        """Ask whether a Pod would be created."""


async def check_pod(cluster: Admission, config: Config, node: Node) -> Finding:
    """Let the API server check the exact Pod of a session, without creating it."""
    name = safe(node.name, 63)
    try:
        owner = await _owner(cluster, config)
        manifest = build_manifest(_plan(config), node.name, "doctor", owner)
        pod = await cluster.create_pod(manifest, dry_run=True)
    except Conflict:
        return ok(f"a session's Pod is on {name} right now")
    except NotFound as exc:
        remedy = f"create the namespace {config.cluster.namespace}"
        return failure(f"a session's Pod would be refused: {told(exc)}", remedy)
    except (ClusterDenied, Rejected) as exc:
        return failure(f"a session's Pod would be refused: {told(exc)}", _remedy(str(exc)))
    except ClusterError as exc:
        return failure(f"a session's Pod could not be tried: {told(exc)}", BUSY)
    return _admitted(pod, config, name)


def _admitted(pod: PodState, config: Config, name: str) -> Finding:
    if fault := start_fault(_plan(config), pod):
        return warning(f"the tap would not start: {fault}", "set session.tap_volume: copy")
    return ok(f"a session's Pod would be admitted on {name} (profile {config.session.profile})")


def _plan(config: Config) -> Plan:
    rules = active_rules(config.metrics, (gadget.name for gadget in config.gadgets))
    return Plan(
        config.cluster,
        config.rotation,
        config.session,
        config.gadgets,
        used=needed_fields(config, rules),
    )


async def _owner(cluster: Admission, config: Config) -> str:
    """Return the uid of igpipe's Lease, which owns session Pods; empty before its first start."""
    try:
        return (await cluster.get_lease(lease_name(config.cluster.instance))).uid
    except (NotFound, ClusterDenied):
        return ""


def _remedy(message: str) -> str:
    plain = message.lower()
    fitting = (remedy for word, remedy in _REFUSALS.items() if word in plain)
    return next(fitting, "the message says what refuses it; change that, or session.* to fit")
