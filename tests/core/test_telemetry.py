"""igpipe's own metrics: what alerts wait for is there before anything happens."""

from igpipe.health import Health
from igpipe.model import LineAccount, Outcome, Reason
from igpipe.telemetry import Telemetry


def test_counters_of_a_known_gadget_begin_at_zero() -> None:
    """A counter that is born with its first loss would hide it from increase()."""
    telemetry = Telemetry()
    telemetry.streams.known("g", ("shape",))
    telemetry.sessions.known("g")
    for name in ("lines", "events", "event_lines", "stderr_lines", "kernel_lost_samples"):
        assert value(telemetry, f"igpipe_{name}_total", gadget="g") == 0
    lines = (("rejected", "shape"), ("dropped", "queue_full"), ("dropped", "node_buffer"))
    for name, reason in lines:
        assert value(telemetry, f"igpipe_lines_{name}_total", gadget="g", reason=reason) == 0
    for reason in set(Reason) - {Reason.NONE}:
        failed = {"gadget": "g", "outcome": Outcome.FAILED.value, "reason": reason.value}
        assert value(telemetry, "igpipe_session_gadgets_total", **failed) == 0


def test_the_account_of_lines_balances_in_every_exposition() -> None:
    """A settled account leaves no line out, so that a difference is a bug and can be alerted on."""
    telemetry = Telemetry()
    telemetry.streams.known("g", ("shape",))
    account = LineAccount(lines=10, event_lines=6, stderr=2)
    account.rejected["shape"] = account.dropped["queue_full"] = 1
    telemetry.streams.settle("g", account, LineAccount())
    names = ("event_lines", "stderr_lines", "lines_rejected", "lines_dropped")
    parts = sum(total(telemetry, f"igpipe_{name}_total") for name in names)
    assert value(telemetry, "igpipe_lines_total", gadget="g") == parts == 10


def test_conditions_follow_the_health() -> None:
    """What /readyz says is a metric, too: fine or not, by name; the reason is for people."""
    telemetry, health = Telemetry(), Health("lease")
    health.report("watch nodes", "watch nodes: 403")
    telemetry.process.conditions(health.fine())
    assert value(telemetry, "igpipe_condition_fine", condition="lease") == 0
    health.report("lease")
    telemetry.process.conditions(health.fine())
    assert value(telemetry, "igpipe_condition_fine", condition="lease") == 1
    assert value(telemetry, "igpipe_condition_fine", condition="watch nodes") == 0


def test_a_spool_says_whether_it_has_a_directory() -> None:
    """Only then is a spool in memory a fault."""
    telemetry = Telemetry()
    telemetry.records.spool(float, 1)
    assert value(telemetry, "igpipe_spool_has_directory") == 0
    telemetry.records.spool(float, 1, directory=True)
    assert value(telemetry, "igpipe_spool_has_directory") == 1


def test_the_process_is_told_of_when_a_service_starts() -> None:
    """A recording's metrics do not depend on who replays it."""
    telemetry = Telemetry()
    assert value(telemetry, "process_start_time_seconds") is None
    telemetry.process.started()
    assert (value(telemetry, "process_start_time_seconds") or 0) > 0


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    """Get one sample; None if it is not exposed."""
    return telemetry.registry.get_sample_value(name, labels)


def total(telemetry: Telemetry, name: str) -> float:
    """Sum up a metric."""
    samples = (s for metric in telemetry.registry.collect() for s in metric.samples)
    return sum(sample.value for sample in samples if sample.name == name)
