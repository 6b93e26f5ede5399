"""ig's command line: each generation, each kind of gadget, each flag once."""

from typing import Any

import pytest

from igpipe.config import ClusterConfig, GadgetConfig, RotationConfig, SessionConfig
from igpipe.errors import ConfigError
from igpipe.gadgets import GADGETS
from igpipe.sessions.command import ig_arguments
from igpipe.sessions.plan import Plan


def _arguments(gadget: str, *, keys: dict[str, Any] | None = None, **session: Any) -> list[str]:
    plan = Plan(
        ClusterConfig(),
        RotationConfig(),
        SessionConfig.model_validate({"trim": False, **session}),
        (),
    )
    return ig_arguments(GadgetConfig.model_validate({"name": gadget, **(keys or {})}), plan)


def _flag(arguments: list[str], name: str) -> str | None:
    """Return the value of a flag that may be given once at most."""
    values = [arg.partition("=")[2] for arg in arguments if arg.startswith(f"--{name}=")]
    assert len(values) <= 1
    return values[0] if values else None


def test_a_tracing_gadget() -> None:
    """An image gadget runs for whole seconds, says when it is ready, skips our own namespace."""
    assert _arguments("trace_exec", duration=59.2) == [
        "run",
        "ghcr.io/inspektor-gadget/gadget/trace_exec:v0.55.1",
        "-o",
        "json",
        "-v",
        "--timeout",
        "60",
        "--k8s-namespace=!igpipe-sessions",
    ]


def test_images_come_from_where_they_are_configured() -> None:
    """A mirror, a tag, or an image of the gadget's own; unverified or baked in on request."""
    mirror: dict[str, Any] = {"gadget_registry": "mirror:5000/g", "gadget_version": "v0.50.1"}
    assert _arguments("trace_exec", **mirror)[1] == "mirror:5000/g/trace_exec:v0.50.1"
    assert _arguments("trace_exec", keys={"image": "own@sha256:1"})[1] == "own@sha256:1"
    arguments = _arguments("trace_exec", verify_image=False, gadget_store="baked")
    assert {"--verify-image=false", "--pull=never"} <= set(arguments)


@pytest.mark.parametrize("gadget", ["top_file", "top_tcp", "profile_blockio"])
def test_maps_are_fetched_in_intervals(gadget: str) -> None:
    """Gadgets that read a kernel map report every interval, and once more when they stop."""
    arguments = _arguments(gadget, keys={"interval": 7})
    assert _flag(arguments, "map-fetch-interval") == "7000ms"
    assert ":ebpf.map.flush-on-stop=true" in (_flag(arguments, "annotate") or "")


def test_at_least_two_intervals_fit_into_a_session() -> None:
    """A short session shortens the interval: a last, cut one is lost."""
    assert _flag(_arguments("top_file", duration=6), "map-fetch-interval") == "3000ms"


def test_snapshots_repeat() -> None:
    """Iterators are told to go on, and how often."""
    annotate = _flag(_arguments("snapshot_process"), "annotate")
    assert annotate == "processes:fetch-interval=5000ms,processes:fetch-count=0"


def test_histograms_are_printed_as_arrays() -> None:
    """Without this annotation profile gadgets print nothing as JSON."""
    assert _flag(_arguments("profile_tcprtt"), "annotate") == (
        "tcprtt:ebpf.map.flush-on-stop=true,tcprtt:metrics.print=false"
    )


def test_annotations_are_one_flag() -> None:
    """Trimming, intervals, the gadget's annotations and its params share one --annotate."""
    keys = {
        "annotate": {"processes.comm": "columns.x=a,b"},
        "params": {"annotate": "processes:y=1", "uid": "0"},
    }
    arguments = _arguments("snapshot_process", trim=True, keys=keys)
    annotate = _flag(arguments, "annotate")
    assert annotate is not None
    assert annotate.startswith("processes.k8s.owner:json.skip=true,")
    assert annotate.endswith(
        r",processes:fetch-count=0,processes.comm:columns.x=a\,b,processes:y=1"
    )
    assert "--uid=0" in arguments


def test_namespaces_are_one_flag() -> None:
    """Our own namespace, the excluded ones and the gadget's own wish are joined."""
    keys = {"params": {"k8s-namespace": "shop"}}
    arguments = _arguments("trace_exec", exclude_namespaces=("kube-system",), keys=keys)
    assert _flag(arguments, "k8s-namespace") == "!igpipe-sessions,!kube-system,shop"


@pytest.mark.parametrize(
    ("version", "namespaces", "annotate"),
    [
        ("v0.32.0", False, False),
        ("v0.44.1", False, True),
        ("v0.45.0", True, True),
        ("v1.0.0", True, True),
        ("latest", True, True),
    ],
)
def test_older_versions_get_only_flags_they_know(
    version: str, namespaces: bool, annotate: bool
) -> None:
    """An unknown flag would end ig at once; what is left out is checked after decoding."""
    arguments = _arguments("snapshot_process", gadget_version=version)
    assert (_flag(arguments, "k8s-namespace") is not None) == namespaces
    assert (_flag(arguments, "annotate") is not None) == annotate


def test_an_unusual_socket() -> None:
    """Both generations are told where containerd listens."""
    for generation in ("image", "builtin"):
        arguments = _arguments("trace_exec", runtime_socket="/run/k3s.sock", generation=generation)
        assert _flag(arguments, "containerd-socketpath") == "/run/k3s.sock"


@pytest.mark.parametrize(
    ("gadget", "arguments"),
    [
        ("trace_exec", "trace exec -o json --timeout 120"),
        ("snapshot_process", "snapshot process -o json"),
        ("profile_blockio", "profile block-io -o json --timeout 120"),
        ("top_blockio", "top block-io -o json --timeout 120 --interval=5 --max-rows=10000"),
    ],
)
def test_builtin_gadgets(gadget: str, arguments: str) -> None:
    """Built-ins have no -v and no annotations; their snapshots end alone."""
    assert " ".join(_arguments(gadget, generation="builtin")) == arguments


@pytest.mark.parametrize(("duration", "interval"), [(7, "1"), (9, "3"), (2, "1"), (60, "5")])
def test_builtin_intervals_divide_the_timeout(duration: float, interval: str) -> None:
    """ig refuses an interval that does not divide the timeout, or is not below it."""
    arguments = _arguments("top_file", generation="builtin", duration=duration)
    assert _flag(arguments, "interval") == interval


@pytest.mark.parametrize(
    ("gadget", "session", "keys", "told"),
    [
        ("traceloop", {"generation": "builtin"}, {}, r"gadgets\.traceloop: no built-in"),
        ("my_gadget", {"generation": "builtin"}, {}, r"gadgets\.my_gadget: no built-in"),
        ("trace_exec", {"generation": "builtin", "keep_args": False}, {}, r"session\.keep_args"),
        ("trace_exec", {}, {"params": {"timeout": "5"}}, r"gadgets\.trace_exec\.params\.timeout"),
    ],
)
def test_what_cannot_be_done_is_told(
    gadget: str, session: dict[str, Any], keys: dict[str, Any], told: str
) -> None:
    """A wish that this ig cannot fulfil names its configuration key."""
    with pytest.raises(ConfigError, match=told):
        _arguments(gadget, keys=keys, **session)


@pytest.mark.parametrize("gadget", [*sorted(GADGETS), "my_gadget"])
def test_no_flag_is_given_twice(gadget: str) -> None:
    """A repeated flag would overwrite the first."""
    names = [arg.partition("=")[0] for arg in _arguments(gadget, trim=True) if arg[:2] == "--"]
    assert len(names) == len(set(names))
