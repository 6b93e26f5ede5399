"""Cases of the alerts on igpipe's process, its instance and its API server."""

from collections.abc import Iterator

from igpipe.rules import Times
from tests.servers.alertcases.case import ME, Case, Series, flat, near, own, rise

_OTHER = 'up{job="other",instance="a"}'


def _up(_: Times, __: str) -> Iterator[Case]:
    up, info = own("up"), own("igpipe_build_info", 'version="1"')
    yield Case("IgpipeDown", {up: flat(0)}, 7, ME)
    yield near("IgpipeDown", {up: flat(1)}, 7)
    yield near("IgpipeDown", {_OTHER: flat(0)}, 7)

    yield Case("IgpipeAbsent", {_OTHER: flat(1)}, 12)
    yield near("IgpipeAbsent", {info: flat(1)}, 12)
    yield near("IgpipeAbsent", {up: flat(0)}, 12)

    began = own("process_start_time_seconds")
    yield Case("IgpipeRestarting", {began: "1 2 3 4 4 4"}, 5, ME)
    yield near("IgpipeRestarting", {began: "1 2 3 3 3 3"}, 5)


def _ready(_: Times, __: str) -> Iterator[Case]:
    name, watch = "IgpipeNotReady", "IgpipeWatchFailing"
    yield Case(name, _condition("sessions"), 17, {**ME, "condition": "sessions"})
    yield near(name, _condition("sessions", 1), 17)
    for other in ("lease", "ledger", "rollout", "rotation", "sink s", "watch pods"):
        yield near(name, _condition(other), 17)

    yield Case(watch, _condition("watch nodes"), 7, {**ME, "condition": "watch nodes"})
    yield near(watch, _condition("watch nodes", 1), 7)
    yield near(watch, _condition("lease"), 7)


def _api(_: Times, __: str) -> Iterator[Case]:
    denied, unavailable = "IgpipeApiDenied", "IgpipeApiUnavailable"
    labels = {"job": "igpipe", "verb": "create", "resource": "pods", "code": "403"}
    yield Case(denied, _calls(403, 0.2), 40, labels)
    yield near(denied, _calls(403, 0.05) | _calls(201, 5), 40)

    job = {"job": "igpipe"}
    yield Case(unavailable, _calls(503, 1) | _calls(201, 4), 30, job)
    yield Case(unavailable, _calls(0, 0.5) | _calls(429, 0.5) | _calls(201, 4), 30, job)
    yield near(unavailable, _calls(503, 1) | _calls(201, 19), 30)
    yield near(unavailable, _calls(503, 0.2) | _calls(201, 0.2), 30)


def _lease(_: Times, __: str) -> Iterator[Case]:
    nobody, several, labels = "IgpipeNoHolder", "IgpipeSeveralHolders", {"lease": "s/l"}
    yield Case(nobody, _held("a", 0) | _held("b", 0), 7, labels)
    yield near(nobody, _held("a", 0) | _held("b", 1), 7)
    yield Case(several, _held("a", 1) | _held("b", 1), 4, labels)
    yield near(several, _held("a", 1) | _held("b", 0), 4)
    yield near(several, _held("a", 1) | _held("b", 1, "s/m"), 4)


def _ledger(_: Times, __: str) -> Iterator[Case]:
    name, failures = "IgpipeLedgerFailing", own("igpipe_ledger_write_failures_total")
    dropped = own("igpipe_ledger_entries_total", 'outcome="dropped"')
    written = own("igpipe_ledger_entries_total", 'outcome="written"')
    yield Case(name, {failures: "0 0 1 1"}, 3, ME)
    yield Case(name, {dropped: "0 0 1 1"}, 3, ME)
    yield near(name, {failures: flat(1), dropped: flat(1), written: rise(5)}, 3)


def _condition(name: str, fine: int = 0) -> Series:
    return {own("igpipe_condition_fine", f'condition="{name}"'): flat(fine)}


def _calls(code: int, rate: float) -> Series:
    labels = f'verb="create",resource="pods",code="{code}"'
    return {own("igpipe_api_requests_total", labels): rise(rate)}


def _held(instance: str, by: int, lease: str = "s/l") -> Series:
    return {own("igpipe_lease_held", f'lease="{lease}"', instance): flat(by)}


PROCESS = (_up, _ready, _api, _lease, _ledger)
