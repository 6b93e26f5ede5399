"""Presets: each gadget's numbers, of both generations, as an independent reading has them."""

from pathlib import Path

import pytest

from igpipe.config import MetricsConfig
from igpipe.decode import LineDecoder
from igpipe.errors import ConfigError
from igpipe.gadgets import GADGETS
from igpipe.metrics import Metrics, active_rules, presets
from igpipe.model import LineAccount, Source
from tests.metrics.helpers import rule, samples

DERIVED = Path(__file__).parents[1] / "data" / "ig" / "derived"
CART = 'namespace="shop",pod="cart-6d5f7c9b8-x2x7q",container="app"'


def exposed(folder: str, file: str, gadget: str) -> dict[str, float]:
    """Count a recording with the gadget's presets; gives observed series."""
    metrics = Metrics(
        MetricsConfig(zero_hold=0.0), presets([gadget]), period=1000.0, session_seconds=100.0
    )
    look = metrics.begin(Source("c", "n", "s", gadget), now=0.0, slots_since_048=folder != "v0.30")
    account = LineAccount()
    decoder = LineDecoder(
        gadget,
        lambda event, _: look.observe(event),
        account,
        line_limit=2**20,
        array_limit=2**20,
        on_array=look.snapshot,
    )
    for line in (DERIVED / folder / file).read_bytes().splitlines(keepends=True):
        if line not in (b"[]\n", b"null\n"):  # an empty snapshot would replace the one before
            decoder.feed(line)
    assert not account.rejected
    metrics.commit(look, exposure=10.0, now=10.0, final=True)
    coverage = ("igpipe_observed", "igpipe_looks", "igpipe_last", "igpipe_represented")
    others = ("igpipe_node_", "igpipe_period", "igpipe_snapshot")
    return {
        key: value
        for key, value in samples(metrics, 10.0).items()
        if "_estimated_" not in key and not key.startswith(coverage + others)
    }


def series(name: str, comm: str, **labels: str) -> str:
    """Write a series of the recorded container."""
    more = "".join(f',{key}="{value}"' for key, value in labels.items())
    return f'{name}{{{CART},comm="{comm}"{more},node="n"}}'


CASES = [
    ("trace_exec", "exec", {series("igpipe_execs_observed_total", "cat"): 1}),
    (
        "trace_open",
        "open",
        {series("igpipe_opens_observed_total", "cat", error="ENOENT"): 1},
    ),
    (
        "trace_tcp",
        "tcp",
        {series("igpipe_tcp_connects_observed_total", "wget", error=""): 1},
    ),
    (
        "trace_dns",
        "dns",
        {
            series("igpipe_dns_responses_observed_total", "nslookup", rcode="Success"): 1,
            series("igpipe_dns_latency_seconds_bucket", "nslookup")[:-1] + ',le="0.0005"}': 0,
        },
    ),
    (
        "trace_fsslower",
        "fsslower",
        {
            series("igpipe_slow_file_operation_seconds_count", "dpkg", operation="F_FSYNC"): 1,
            series("igpipe_slow_file_operation_seconds_sum", "dpkg", operation="F_FSYNC"): 3669e-6,
        },
    ),
    ("trace_oomkill", "oomkill", {series("igpipe_oom_kills_observed_total", "tail"): 1}),
    (
        "trace_signal",
        "signal",
        {series("igpipe_signals_observed_total", "sh", signal="SIGTERM"): 1},
    ),
    (
        "trace_tcpretrans",
        "tcpretrans",
        {series("igpipe_tcp_retransmits_observed_total", "curl", type="RETRANS"): 1},
    ),
    (
        "trace_sni",
        "sni",
        {series("igpipe_tls_server_names_observed_total", "wget", server_name="example.com"): 1},
    ),
    ("trace_bind", "bind", {series("igpipe_binds_observed_total", "nc", error=""): 1}),
    (
        "trace_mount",
        "mount",
        {series("igpipe_mounts_observed_total", "mount", operation="MOUNT", error="ENOENT"): 1},
    ),
    (
        "audit_seccomp",
        "audit_seccomp",
        {
            series(
                "igpipe_seccomp_audits_observed_total",
                "unshare",
                syscall="SYS_UNSHARE",
                code="SECCOMP_RET_KILL_THREAD",
            ): 1
        },
    ),
    (
        "top_file",
        "top_file",
        {
            series("igpipe_file_read_bytes_observed_total", "apt-get"): 97_791_200,
            series("igpipe_file_reads_observed_total", "apt-get"): 1494,
        },
    ),
    (
        "top_tcp",
        "top_tcp",
        {
            series("igpipe_tcp_sent_bytes_observed_total", "wget"): 1193,
            series("igpipe_tcp_received_bytes_observed_total", "wget"): 37_851,
        },
    ),
    (
        "top_blockio",
        "top_blockio",
        {
            series("igpipe_block_io_bytes_observed_total", "sync", operation="write"): 212_992,
            series("igpipe_block_io_operations_observed_total", "sync", operation="write"): 3,
            series("igpipe_block_io_seconds_observed_total", "sync", operation="write"): 747e-6,
        },
    ),
    ("snapshot_process", "snapshot_process", {series("igpipe_processes", "sh"): 1}),
    (
        "snapshot_socket",
        "snapshot_socket",
        {f'igpipe_sockets{{{CART},protocol="TCP",state="LISTEN",node="n"}}': 1},
    ),
]


@pytest.mark.parametrize("folder", ["v0.30", "v0.55"])
@pytest.mark.parametrize(("gadget", "builtin", "expected"), CASES)
def test_both_generations(
    folder: str, gadget: str, builtin: str, expected: dict[str, float]
) -> None:
    """The same thing is the same series with the same number in both."""
    found = exposed(folder, f"{builtin if folder == 'v0.30' else gadget}.jsonl", gadget)
    assert {key: found.get(key) for key in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("folder", "gadget", "name", "counts"),
    [
        ("v0.30", "profile_blockio", "igpipe_block_io_latency_seconds", {"8e-06": 4, "+Inf": 15}),
        ("v0.55", "profile_blockio", "igpipe_block_io_latency_seconds", {"8e-06": 4, "+Inf": 253}),
        ("v0.30", "profile_tcprtt", "igpipe_tcp_rtt_seconds", {"4e-06": 6, "+Inf": 6}),
        ("v0.55", "profile_tcprtt", "igpipe_tcp_rtt_seconds", {"8e-06": 6, "+Inf": 103}),
    ],
)
def test_profiles(folder: str, gadget: str, name: str, counts: dict[str, float]) -> None:
    """Slots and intervals are buckets in seconds."""
    found = exposed(folder, f"{gadget}.jsonl", gadget)
    for bound, count in counts.items():
        assert found[f'{name}_bucket{{node="n",le="{bound}"}}'] == count


def test_capabilities() -> None:
    """Whether the capability was there is a label."""
    found = exposed("v0.55", "trace_capabilities.jsonl", "trace_capabilities")
    key = series(
        "igpipe_capability_checks_observed_total",
        "nice",
        capability="CAP_SYS_NICE",
        allowed="false",
    )
    assert found[key] == 1


def test_every_gadget_with_numbers_has_presets() -> None:
    """Only traceloop, which prints what a container did last, has none."""
    assert {g for g in GADGETS if not presets([g])} == {"traceloop"}
    assert {rule.name.partition("_")[0] for rule in presets(GADGETS)} == {"igpipe"}
    assert all(rule.help for rule in presets(GADGETS))


def test_own_rules_replace_and_disable() -> None:
    """A rule of a preset's name takes its place; a disabled one is left out."""
    own = rule("igpipe_execs")
    config = MetricsConfig(rules=(own,), disable=("igpipe_dns_queries",))
    names = [r.name for r in active_rules(config, ["trace_exec", "trace_dns"])]
    assert names == ["igpipe_dns_responses", "igpipe_dns_latency_seconds", "igpipe_execs"]
    assert active_rules(MetricsConfig(presets=False), ["trace_exec"]) == ()


@pytest.mark.parametrize(
    "rules",
    [
        (rule(), rule()),
        (rule(type="gauge").model_copy(update={"gadgets": ("top_process", "snapshot_process")}),),
    ],
)
def test_rules_that_cannot_be(rules: tuple[object, ...]) -> None:
    """Two rules of one name, or a gauge of two gadgets, are said to be wrong."""
    with pytest.raises(ConfigError, match=r"metrics\.rules"):
        active_rules(MetricsConfig.model_construct(rules=rules, presets=False, disable=()), [])
