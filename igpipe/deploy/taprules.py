"""The rules for the tap: the init container that brings it, and its volume. Pure."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from igpipe.config import Config, SessionConfig
from igpipe.deploy.cel import literal, mixed
from igpipe.deploy.rule import Rule
from igpipe.deploy.shape import CONTAINER_DEFAULTS
from igpipe.sessions import tap
from igpipe.sessions.plan import Plan

_LISTED: Final = "object.spec.?initContainers.orValue([])"
_EXACT: Final = ("name", "command", "args", "volumeMounts")
_MESSAGES: Final = {"Path": "/dev/termination-log", "Policy": "File"}  # an API server's defaults


def tap_rules() -> Iterator[Rule]:
    """Yield what must hold for the tap; that there is none is for the rule of fields to tell."""
    init, larger = (_init_container(store) for store in ("empty_dir", "tap"))
    yield from _init_rules(init)
    yield from _exact_rules(init)
    yield from _other_rules([init["resources"], larger["resources"]])
    yield Rule(
        "tap's mount",
        "variables.containers.all(c, c.?volumeMounts.orValue([]).all(m, "
        f'm.name != "{tap.NAME}" || m.?readOnly.orValue(false)))',
        "ig's containers must mount the tap readOnly",
    )


def _init_container(store: Literal["empty_dir", "tap"]) -> dict[str, Any]:
    """Make it as igpipe does, without or with gadget images; its image is the configuration's."""
    config = Config(session=SessionConfig(tap_image="tap", gadget_store=store))
    plan = Plan(config.cluster, config.rotation, config.session, config.gadgets)
    return tap.init_containers(plan)[0]


def _init_rules(init: dict[str, Any]) -> Iterator[Rule]:
    known = literal(sorted(init.keys() | CONTAINER_DEFAULTS))
    yield Rule(
        "init containers",
        f"{_LISTED}.size() <= 1",
        "at most one init container, which brings the tap",
    )
    yield Rule(
        "init container's fields",
        f"{_LISTED}.all(c, dyn(c).all(k, k in {known}))",
        "the init container has fields that the tap's never has",
        f'{_LISTED}.map(c, dyn(c).filter(k, !(k in {known})).join(", ")).join(", ")',
    )
    yield Rule(
        "init container's image",
        f'{_LISTED}.all(c, c.?image.orValue("") == variables.tapImage)',
        "image of the init container must be the tap's",
        told='"image of the init container must be " + variables.tapImage',
    )
    context = mixed(init["securityContext"])
    yield Rule(
        "init container's rights",
        f"{_LISTED}.all(c, c.?securityContext.hasValue() && dyn(c.securityContext) in [{context}])",
        "the init container must have no rights: its securityContext is the tap's alone",
    )


def _exact_rules(init: dict[str, Any]) -> Iterator[Rule]:
    for field in _EXACT:
        value = literal(init[field])
        given = f"c.?{field}"
        listed = f"[{_mounts(init[field])}]" if field == "volumeMounts" else f"[{value}]"
        yield Rule(
            f"init container's {field}",
            # The type checker takes Kubernetes' types and maps for different ones.
            f"{_LISTED}.all(c, {given}.hasValue() && dyn({given}.value()) in {listed})",
            f"{field} of the init container must be {value.replace(chr(34), '')}",
        )


def _other_rules(resources: list[dict[str, Any]]) -> Iterator[Rule]:
    yield Rule(
        "init container's pull policy",
        f'{_LISTED}.all(c, c.?imagePullPolicy.orValue("") == variables.pullPolicy)',
        "imagePullPolicy of the init container must be the configured one",
        told='"imagePullPolicy of the init container must be " + variables.pullPolicy',
    )
    listed = ", ".join(literal(each) for each in resources)
    yield Rule(
        "init container's resources",
        f"{_LISTED}.all(c, c.?resources.hasValue() && dyn(c.resources) in [{listed}])",
        "resources of the init container must be the tap's",
    )
    for part, value in _MESSAGES.items():
        yield Rule(
            f"init container's terminationMessage{part}",
            f"{_LISTED}.all(c, c.?terminationMessage{part}.orValue({literal(value)}) == "
            f"{literal(value)})",
            f"terminationMessage{part} of the init container must be {value}",
        )


def _mounts(mounts: list[dict[str, Any]]) -> str:
    return f"[{', '.join(mixed(mount) for mount in mounts)}]"
