"""The tap on a node: what is put in the Pod, when it is given up, and for how long."""

from dataclasses import replace
from typing import Any

import pytest

from igpipe.model import ContainerState, Phase, PodState
from igpipe.sessions import tap
from igpipe.sessions.fallback import Fallback
from igpipe.sessions.plan import Plan
from tests.sessions.world import plan

IMAGE = "registry.example/igpipe-tap:1"


def tapped(**session: Any) -> Plan:
    """Plan sessions through the tap."""
    return plan(tap_image=IMAGE, **session)


def test_igs_command_line_follows_the_taps() -> None:
    """The tap has a deadline of its own; ig's arguments are what they were."""
    (plain, plain_args), (program, args) = (
        tap.command(each.gadgets[0], each) for each in (plan(), tapped())
    )
    assert plain == ["ig"]
    assert (program, args) == ([tap.PROGRAM], ["--deadline=50s", "--", "ig", *plain_args])


def test_the_filter_is_off_unless_asked_for() -> None:
    """With it, what must not be observed does not leave the node."""
    with_it = tapped(tap_filter=True, exclude_namespaces=("a", "igpipe-sessions"))
    assert "--without=igpipe-sessions,a" in tap.command(with_it.gadgets[0], with_it)[1]
    assert tap.hidden_namespaces(tapped(exclude_namespaces=("a",))) == []


@pytest.mark.parametrize(
    ("session", "is_tapped", "may_go_plain"),
    [
        ({}, True, True),
        ({"transport": "tap"}, True, False),
        ({"transport": "logs"}, False, False),
    ],
)
def test_the_transport_decides(session: Any, *, is_tapped: bool, may_go_plain: bool) -> None:
    """auto takes the tap where there is an image; only auto goes without it."""
    planned = tapped(**session)
    assert (planned.tapped, planned.may_go_plain) == (is_tapped, may_go_plain)
    assert not plan().tapped


@pytest.mark.parametrize(
    ("state", "faulty"),
    [
        (ContainerState("tap"), False),
        (ContainerState("tap", reason="PodInitializing"), False),
        (ContainerState("tap", reason="ContainerCreating"), False),
        (ContainerState("tap", reason="ImagePullBackOff", message="no such image"), True),
        (ContainerState("tap", reason="CreateContainerError"), True),
        (ContainerState("tap", Phase.RUNNING), False),
        (ContainerState("tap", Phase.TERMINATED, exit_code=0), False),
        (ContainerState("tap", Phase.TERMINATED, exit_code=1, reason="Error"), True),
    ],
)
def test_what_keeps_the_tap_from_starting(state: ContainerState, *, faulty: bool) -> None:
    """An image that does not come, a program that does not run."""
    pod = PodState("p", "u", "n", init_containers=(state,))
    assert bool(tap.start_fault(tapped(), pod)) is faulty
    assert not tap.start_fault(plan(), replace(pod, init_containers=()))


@pytest.mark.parametrize(
    ("volumes", "state", "fault"),
    [
        ((), ContainerState("c"), "the API server leaves image volumes out"),
        (("tap",), ContainerState("c", reason="ContainerCreating"), ""),
        (("tap",), ContainerState("c", Phase.RUNNING), ""),
        (("tap",), ContainerState("c", reason="CreateContainerError", message="m"), "CreateCon"),
        (("tap",), ContainerState("c", reason="ErrImagePull", message=f"no {IMAGE}"), "ErrImage"),
        (("tap",), ContainerState("c", reason="ErrImagePull", message="no ig"), ""),
    ],
)
def test_what_keeps_an_image_volume_from_being_mounted(
    volumes: Any, state: ContainerState, fault: str
) -> None:
    """An API server or a runtime that knows none, an image that does not come."""
    pod = PodState("p", "u", "n", volumes=volumes, containers=(state,))
    assert tap.start_fault(tapped(tap_volume="image"), pod).startswith(fault)
    assert bool(tap.start_fault(tapped(tap_volume="image"), pod)) is bool(fault)


def test_the_tap_may_bring_the_gadget_images() -> None:
    """Ig then pulls nothing; read plainly, or with built-in gadgets, it is as without."""
    with_it = tapped(gadget_store="tap")
    arguments = tap.command(with_it.gadgets[0], with_it)[1]
    assert f"--store={tap.STORE}" in arguments[: arguments.index("--")]
    assert "--pull=never" in arguments
    for other in (with_it.plain(), tapped(gadget_store="tap", generation="builtin"), tapped()):
        told = tap.command(other.gadgets[0], other)[1]
        assert not [word for word in told if word.startswith(("--store", "--pull"))]


def test_gadget_images_need_room() -> None:
    """The volume and the container that fills it may be larger; nothing else differs."""
    small, large = tapped(), tapped(gadget_store="tap")
    (less,), (more,) = tap.volumes(small), tap.volumes(large)
    assert (less["emptyDir"], more["emptyDir"]) == ({"sizeLimit": "16Mi"}, {"sizeLimit": "512Mi"})
    (init,), (larger,) = tap.init_containers(small), tap.init_containers(large)
    limits = {**init["resources"]["limits"], "ephemeral-storage": "512Mi"}
    assert larger == {**init, "resources": {**init["resources"], "limits": limits}}


def test_a_node_is_read_plainly_for_an_hour() -> None:
    """
    One node's fault is nobody else's, nor another tap's, and is tried again.

    Transport tap never goes without.
    """
    now = [1000.0]
    fallback, planned = Fallback(lambda: now[0]), tapped()
    fallback.refuse("n1", planned, "no such image")
    assert fallback.plan("n1", plan(tap_image="another")) == (plan(tap_image="another"), "")
    assert fallback.plan("n0", planned) == (planned, "")
    without, why = fallback.plan("n1", planned)
    assert (without.tapped, why) == (False, "no such image")
    assert fallback.plan("n1", tapped(transport="tap"))[0].tapped
    now[0] += 3601
    assert fallback.plan("n1", planned) == (planned, "")
