"""Cases of the alerts on sessions and their Pods."""

from collections.abc import Iterator

from igpipe.rules import Times
from tests.servers.alertcases.case import GADGET, ME, Case, flat, minutes, near, own, rise, turned

_COMPLETED = own("igpipe_sessions_total", 'outcome="completed",reason=""')
_RAN = own("igpipe_session_gadgets_total", 'gadget="g",outcome="completed",reason=""')


def _failing(t: Times, _: str) -> Iterator[Case]:
    name, after, rare = "IgpipeSessionsFailing", _after(t), _rare(t)
    pulls = own("igpipe_sessions_total", 'outcome="failed",reason="image_pull"')
    gone = own("igpipe_sessions_total", 'outcome="failed",reason="node_gone"')
    labels = {"job": "igpipe", "reason": "image_pull"}
    yield Case(name, {_COMPLETED: rise(0.8), pulls: rise(0.2)}, after, labels)
    yield near(name, {_COMPLETED: rise(0.95), pulls: rise(0.05)}, after)
    yield near(name, {_COMPLETED: rise(rare), pulls: rise(rare)}, after)
    yield near(name, {_COMPLETED: rise(0.5), gone: rise(0.5)}, after)


def _gadget(t: Times, _: str) -> Iterator[Case]:
    name, after, rare = "IgpipeGadgetFailing", _after(t), _rare(t)
    broke = own("igpipe_session_gadgets_total", 'gadget="g",outcome="failed",reason="gadget_error"')
    sessions = own("igpipe_sessions_total", 'outcome="failed",reason="gadget_error"')
    failing = {_RAN: rise(0.5), broke: rise(0.5), _COMPLETED: rise(1)}
    yield Case(name, failing, after, {**GADGET, "reason": "gadget_error"})
    yield near(name, {**failing, broke: rise(0.1)}, after)
    yield near(name, {**failing, _RAN: rise(rare), broke: rise(rare)}, after)
    yield near(name, {**failing, sessions: rise(0.5)}, after)  # another alert tells of them


def _over_budget(t: Times, _: str) -> Iterator[Case]:
    name, after = "IgpipeStreamsOverBudget", _after(t)
    cut = own("igpipe_session_gadgets_total", 'gadget="g",outcome="budget",reason="bytes"')
    yield Case(name, {_RAN: rise(0.8), cut: rise(0.2)}, after, {**GADGET, "reason": "bytes"})
    yield near(name, {_RAN: rise(0.95), cut: rise(0.05)}, after)


def _rollout(_: Times, __: str) -> Iterator[Case]:
    name, stopped = "IgpipeRolloutStopped", own("igpipe_rollout_stage", 'stage="stopped"')
    yield Case(name, {stopped: flat(1)}, 1, {**ME, "stage": "stopped"})
    tried = own("igpipe_rollout_stage", 'stage="zone"')
    yield near(name, {stopped: flat(0), tried: flat(1)}, 1)


def _left(t: Times, _: str) -> Iterator[Case]:
    name, residual, after = "IgpipePodsLeft", own("igpipe_residual_pods"), minutes(t.left) + 2
    yield Case(name, {residual: flat(1)}, after, ME)
    yield near(name, {residual: turned(1, after - 3, 0)}, after)


def _overdue(t: Times, namespace: str) -> Iterator[Case]:
    name, after = "IgpipePodOverdue", minutes(t.deadline) + 7
    began, runs = "kube_pod_start_time", "kube_pod_status_phase"
    labels = {"namespace": namespace, "pod": "igpipe-1", "uid": "u"}
    here, running = _inner(labels), _inner({**labels, "phase": "Running"})
    away = running.replace(namespace, "default")
    yield Case(name, {own(began, here): flat(0), own(runs, running): flat(1)}, after, labels)
    yield near(name, {own(began, here): flat(0), own(runs, running): flat(0)}, after)
    young = {own(began, here): rise(60, -t.deadline), own(runs, running): flat(1)}
    yield near(name, young, after)
    elsewhere = {own(began, here.replace(namespace, "default")): flat(0), own(runs, away): flat(1)}
    yield near(name, elsewhere, after)


def _after(t: Times) -> int:
    return minutes(t.sessions) + 15


def _rare(t: Times) -> float:
    """So many a minute are fewer than two in what is looked back at."""
    return 1.5 / (t.sessions / 60)


def _inner(labels: dict[str, str]) -> str:
    return ",".join(f'{key}="{value}"' for key, value in labels.items())


SESSIONS = (_failing, _gadget, _over_budget, _rollout, _left, _overdue)
