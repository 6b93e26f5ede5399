"""Label values: harmless, short, few, and alike for both generations."""

import pytest

from igpipe.metrics.labels import OTHER, Spelled, collapse_digits, escape, spelling
from tests.metrics.helpers import begin, event, look, make, rule, samples


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("nginx", "nginx"),
        ("", ""),
        ("日本", "日本"),
        ('say "hi"', r"say \"hi\""),
        ("back\\slash", r"back\\slash"),
        ("two\nlines", r"two\nlines"),
        ("\x1b[31mred", r"\\x1b[31mred"),
        ("\u202egnp", r"\\u202egnp"),
        ("x" * 20, "x" * 15 + "…"),
    ],
)
def test_escape(raw: str, text: str) -> None:
    """Control characters become text, quotes are escaped, long values cut."""
    assert escape(raw, 16) == text


def test_what_is_remembered_is_bounded() -> None:
    """A flood of values does not fill the memory, nor do long ones."""
    spelled = Spelled(str, 64)
    for i in range(50_000):
        assert spelled[str(i)] == str(i)
    assert len(spelled) <= 20_000
    assert spelled[OTHER] == OTHER
    known = len(spelled)
    assert spelled["x" * 65] == "x" * 63 + "…"
    assert len(spelled) == known


def test_equal_values_are_not_alike() -> None:
    """What one node claims changes no other's labels."""
    metrics = make(rule(labels={"uid": "uid"}))
    for node, uid in enumerate((True, 1, 1.0, False, 0, -0.0, "1")):
        look(metrics, event(uid=uid), now=100.0, node=str(node))
    assert list(samples(metrics, 1e6, name="m_observed")) == [
        f'm_observed_total{{uid="{uid}",node="{node}"}}'
        for node, uid in enumerate(("true", "1", "1.0", "false", "0", "-0.0", "1"))
    ]


def test_long_values_take_little_memory() -> None:
    """A look keeps of a value what a label may show; the numbers stay exact."""
    metrics = make(rule(), label_length=1024)
    looking = begin(metrics)
    for number in range(30):
        looking.observe(event(comm=f"{'x' * 2**16}{number % 3}"))
    looking.observe(event(comm="x" * 1024))
    assert looking.counting is not None
    assert [len(str(comm)) for _, comm in looking.counting.cells] == [1025, 1024]
    metrics.commit(looking, exposure=100.0, now=100.0, final=True)
    shown = samples(metrics, 1e6, name="m_observed")
    assert list(shown.values()) == [30, 1]
    assert f'{"x" * 1023}…"' in next(iter(shown))


def test_collapse_digits() -> None:
    """Numbered threads are one, if so configured."""
    assert collapse_digits("worker-12/3") == "worker-#/#"
    metrics = make(rule(), collapse_digits=True)
    look(metrics, event("p-1", "w-1"), event("p-1", "w-2"), now=100.0)
    assert samples(metrics, 1e6, name="m_observed") == {
        'm_observed_total{pod="p-1",comm="w-#",node="n"}': 2
    }


@pytest.mark.parametrize(
    ("gadget", "spec", "old", "new"),
    [
        ("trace_open", "error", 2, "ENOENT"),
        ("trace_open", "error", 0, ""),
        ("trace_mount", "error", -2, "ENOENT"),
        ("trace_mount", "op", "mount", "MOUNT"),
        ("trace_dns", "rcode", "Server Failure ", "ServerFailure"),
        ("trace_dns", "rcode", "No Error", "Success"),
        ("trace_fsslower", "op", "F", "F_FSYNC"),
        ("trace_capabilities", "capable", "Deny", "false"),
        ("top_blockio", "rw", True, "write"),
        ("top_blockio", "rw", False, "read"),
        ("audit_seccomp", "code", "kill_thread", "SECCOMP_RET_KILL_THREAD"),
        ("audit_seccomp", "syscall", "unshare", "SYS_UNSHARE"),
    ],
)
def test_generations_are_alike(gadget: str, spec: str, old: object, new: str) -> None:
    """What built-ins print is spelled as image gadgets do, whose spelling stays."""
    spell = spelling(gadget, spec)
    assert spell(old) == new
    assert spell(new) == new


@pytest.mark.parametrize(
    ("raw", "text"), [(10, "LISTEN"), (1, "ESTABLISHED"), (99, "99"), ("LISTEN", "LISTEN")]
)
def test_socket_states(raw: object, text: str) -> None:
    """Image gadgets print numbers of states: they become names."""
    assert spelling("snapshot_socket", "state")(raw) == text


def test_workload() -> None:
    """The derived name works as a label of its own."""
    assert spelling("trace_exec", "workload")("cart-6d5f7c9b8-x2x7q") == "cart"
