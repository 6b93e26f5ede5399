"""What is read off the session's Pod; igpipe's own Pods are always of that shape."""

import json
import re
from typing import Any

import pytest

from igpipe.config import Config
from igpipe.deploy import Place
from igpipe.deploy.shape import Shape, shape_of
from igpipe.sessions.manifest import build_manifest

VARIANTS: list[dict[str, Any]] = [
    {},
    {"session": {"profile": "sysadmin"}},
    {"session": {"generation": "builtin"}},
    {"session": {"gadget_store": "baked", "verify_image": False, "keep_args": False}},
    {"session": {"gadget_version": "v0.40.0", "runtime_socket": "/run/k3s.sock"}},
    {"session": {"exclude_namespaces": ["a", "b"]}},
    {
        "gadgets": [
            {"name": "own", "image": "reg.example/own:1", "params": {"x": "1", "y": "(a|b)"}}
        ]
    },
    {"gadgets": [{"name": "trace_exec", "params": {"k8s-namespace": "shop"}}, "profile_blockio"]},
    {"session": {"tap_image": "t:1", "gadget_store": "tap", "tap_filter": True}},
]


def _shape(tree: dict[str, Any], place: Place | None = None) -> Shape:
    return shape_of(Config.model_validate_json(json.dumps(tree)), place or Place())


def _matches(expressions: list[str], text: str) -> bool:
    return any(re.fullmatch(expression, text) for expression in expressions)


@pytest.mark.parametrize("tree", VARIANTS)
def test_every_argument_is_a_flag_that_is_allowed_or_one_of_the_words(tree: dict[str, Any]) -> None:
    """igpipe cannot be refused for the arguments that it writes itself."""
    shape = _shape(tree)
    for container in build_manifest(shape.plan, "n", "s")["spec"]["containers"]:
        arguments = container["args"]
        words = [a for a in arguments if not _matches(shape.flag_expressions, a)]
        assert _matches(shape.word_expressions, " ".join(words))
        if shape.plan.session.generation == "image":
            gadget = arguments[arguments.index("run") + 1]
            assert _matches(shape.gadget_expressions, gadget)


@pytest.mark.parametrize(
    "flag",
    [
        "--verify-image=false",
        "--insecure-registries=x",
        "--public-keys=x",
        "--k8s-namespace=shop",
        "--k8s-namespace=!igpipe-sessionsx",
        "--pull=always",
        "-o=yaml",
        "--annotate",
    ],
)
def test_other_flags_are_not_allowed(flag: str) -> None:
    """What weakens ig's checks, or shows what is hidden, is no flag of ours."""
    assert not _matches(_shape({}).flag_expressions, flag)


def test_configured_flags_are_allowed_as_they_are() -> None:
    """A parameter with its value, not with another one."""
    flags = _shape(VARIANTS[6]).flag_expressions
    assert _matches(flags, "--y=(a|b)")
    assert not _matches(flags, "--y=a")
    assert _matches(_shape(VARIANTS[3]).flag_expressions, "--verify-image=false")


def test_images_by_name_and_by_prefix() -> None:
    """The configured image as it is, and what the installation allows besides."""
    shape = _shape({"session": {"image": "r.example/ig:v1"}}, Place(images=("m.example/ig@*",)))
    assert _matches(shape.image_expressions, "r.example/ig:v1")
    assert _matches(shape.image_expressions, "m.example/ig@sha256:0")
    assert not _matches(shape.image_expressions, "r.example/ig:v10")
    assert not _matches(shape.image_expressions, "rxexample/ig:v1")


def test_gadgets_beside_the_configured_ones() -> None:
    """Only what is configured, unless the installation allows one more, or all."""
    url = "ghcr.io/inspektor-gadget/gadget/trace_ssl:v0.55.1"
    assert not _matches(_shape({}).gadget_expressions, url)
    assert _matches(_shape({}, Place(gadgets=("trace_ssl",))).gadget_expressions, url)
    assert _matches(_shape({}, Place(gadgets=("*",))).gadget_expressions, url)
    builtin = {"session": {"generation": "builtin"}, "gadgets": ["trace_exec"]}
    words = "trace oomkill -o json --timeout 60"
    assert not _matches(_shape(builtin).word_expressions, words)
    assert _matches(_shape(builtin, Place(gadgets=("*",))).word_expressions, words)


def test_gadgets_that_may_be_asked_for() -> None:
    """A look on demand is admitted as a session is."""
    url = "ghcr.io/inspektor-gadget/gadget/trace_open:v0.55.1"
    for gadgets in (["trace_open"], ["*"]):
        assert _matches(_shape({"looks": {"gadgets": gadgets}}).gadget_expressions, url)
    off = {"looks": {"gadgets": ["*"], "enabled": False}}
    assert not _matches(_shape(off).gadget_expressions, url)


def test_only_sysadmin_is_privileged() -> None:
    """Either a list of capabilities or privileged, as configured."""
    assert not _shape({}).privileged
    assert "SYS_ADMIN" in _shape({}).capabilities
    assert _shape(VARIANTS[1]).privileged
    assert not _shape(VARIANTS[1]).capabilities


@pytest.mark.parametrize(
    ("tree", "deadline", "expected"),
    [
        ({}, 0, 600),
        ({"session": {"duration": "20m"}}, 0, 1270),
        ({"looks": {"max_duration": "15m"}}, 0, 970),
        ({"looks": {"max_duration": "15m", "enabled": False}}, 0, 600),
        ({}, 300, 300),
    ],
)
def test_the_deadline(tree: dict[str, Any], deadline: int, expected: int) -> None:
    """Ten minutes, or what the configuration needs, or what the installation says."""
    assert _shape(tree, Place(deadline=deadline)).deadline == expected


def test_looks_on_demand_fit_into_the_shape() -> None:
    """Their gadgets and their length are allowed, and no others."""
    looks = {"gadgets": ["trace_open"], "max_duration": "20m"}
    shape = _shape({"looks": looks})
    registry = "ghcr.io/inspektor-gadget/gadget"
    assert _matches(shape.gadget_expressions, f"{registry}/trace_open:v0.55.1")
    assert not _matches(shape.gadget_expressions, f"{registry}/trace_signal:v0.55.1")
    assert shape.deadline == 1200 + 60 + 10
    everything = _shape({"looks": {"gadgets": ["*"]}})
    assert _matches(everything.gadget_expressions, f"{registry}/trace_signal:v0.55.1")


def test_the_gadget_image_to_go_back_to_is_allowed() -> None:
    """Also where it was the registry's before the gadget had one of its own."""
    before = {"trace_exec": "", "trace_dns": "r.example/dns:1"}
    gadgets = [{"name": "trace_exec", "image": "r.example/exec:2"}, {"name": "trace_dns"}]
    shape = _shape({"rollout": {"previous_gadget_images": before}, "gadgets": gadgets})
    registry = "ghcr.io/inspektor-gadget/gadget"
    for image in ("r.example/exec:2", f"{registry}/trace_exec:v0.55.1", "r.example/dns:1"):
        assert _matches(shape.gadget_expressions, image)
    assert not _matches(shape.gadget_expressions, "r.example/dns:2")


def test_the_ig_to_go_back_to_is_allowed() -> None:
    """Its image and its gadgets, beside the configured ones and no others."""
    rollout = {"previous_image": "ig:old", "previous_gadget_version": "v0.50.1"}
    shape = _shape({"rollout": rollout, "session": {"image": "ig:new"}})
    registry = "ghcr.io/inspektor-gadget/gadget"
    for image, allowed in (("ig:old", True), ("ig:new", True), ("ig:other", False)):
        assert _matches(shape.image_expressions, image) is allowed
    for tag, allowed in (("v0.50.1", True), ("v0.55.1", True), ("v0.51.0", False)):
        assert _matches(shape.gadget_expressions, f"{registry}/trace_exec:{tag}") is allowed
