"""The rules for the containers of a session's Pod. Pure."""

from collections.abc import Iterator
from typing import Final

from igpipe.deploy.cel import literal, one_of
from igpipe.deploy.rule import Rule
from igpipe.deploy.shape import Shape

_ARGS: Final = "c.?args.orValue([])"
_SECURITY: Final = "c.?securityContext.orValue({})"
_RESOURCES: Final = ["cpu", "memory", "ephemeral-storage"]
_OUTSIDE_FLAGS: Final = ("-o", "-v", "--timeout")


def container_rules(shape: Shape) -> Iterator[Rule]:
    """Yield what must hold for every container of the Pod."""
    yield from _program(shape)
    yield from _arguments(shape)
    yield from _mounts(shape)
    yield from _security(shape)
    yield from _limits(shape)


def _each(name: str, holds: str, message: str, shown: str = "") -> Rule:
    """Make the rule that *holds* for every container ``c``; *shown* tells a bad one's value."""
    bad = f"variables.containers.filter(c, !({holds}))"
    detail = f'{bad}.map(c, c.name + ": " + {shown}).join("; ")' if shown else ""
    return Rule(name, f"variables.containers.all(c, {holds})", message, detail)


def _program(shape: Shape) -> Iterator[Rule]:
    known = literal(shape.container_fields)
    yield _each(
        "container fields",
        f"dyn(c).all(k, k in {known})",
        "containers have fields that a session's containers never have",
        f'dyn(c).filter(k, !(k in {known})).join(", ")',
    )
    yield _each(
        "image",
        f"c.image.matches({one_of(shape.image_expressions)})",
        "the image is not among those allowed",
        "c.image",
    )
    programs = " or ".join(" ".join(command) for command in shape.commands)
    yield _each(
        "command",
        f"c.?command.orValue([]) in {literal(shape.commands)}",
        f"the command must be {programs}",
        'c.?command.orValue([]).join(" ")',
    )


def _arguments(shape: Shape) -> Iterator[Rule]:
    flags, words = one_of(shape.flag_expressions), one_of(shape.word_expressions)
    is_flag = f"a.matches({flags})"
    known = literal([*_OUTSIDE_FLAGS, *(["--"] if shape.plan.tapped else [])])
    outside = f'a.startsWith("-") && !(a in {known}) && !{is_flag}'
    yield _each(
        "flags",
        f"!{_ARGS}.exists(a, {outside})",
        "ig gets flags that are not among those allowed",
        f'{_ARGS}.filter(a, {outside}).join(" ")',
    )
    rest = f"{_ARGS}.filter(a, !{is_flag})"
    if shape.plan.tapped:
        yield _each(
            "tap",
            f'(c.command != ["ig"]) == ({rest}[?0].orValue("") == "--")',
            "ig's command line must follow the tap's, behind --",
        )
    if shape.plan.session.generation == "image":
        gadget = f"{_ARGS}[?1]"
        if shape.plan.tapped:
            gadget = f'({rest}[?0].orValue("") == "--" ? {rest}[?3] : {rest}[?1])'
        yield _each(
            "gadget",
            f'{gadget}.orValue("").matches({one_of(shape.gadget_expressions)})',
            "the gadget is not among those allowed",
            f'{gadget}.orValue("nothing")',
        )
    yield _each(
        "words",
        f'{rest}.join(" ").matches({words}) && !{rest}.exists(a, a.contains(" "))',
        "ig must be told to run one gadget, with JSON output and a timeout",
        f'{rest}.join(" ")',
    )
    numbers = f'{rest}.filter(a, a.matches("^[0-9]{{1,6}}$"))'
    yield _each(
        "timeout",
        f"{numbers}.all(a, int(a) <= {shape.deadline})",
        f"ig's --timeout must be at most {shape.deadline}",
        f'{numbers}.join(" ")',
    )
    if shape.hidden_flag:
        hides = f"a.startsWith({literal(shape.hidden_flag)})"
        yield _each(
            "hidden namespaces",
            f"{_ARGS}.filter(a, {hides}).size() == 1",
            f"{shape.hidden_flag} must be given once, hiding what must not be observed",
        )


def _mounts(shape: Shape) -> Iterator[Rule]:
    all_mounts = "c.?volumeMounts.orValue([])"
    known = literal(shape.mount_fields)
    root = 'm.name == "host"'
    recursive = 'm.?recursiveReadOnly.orValue("") in ["IfPossible", "Enabled"]'
    guarded = f"m.?readOnly.orValue(false) && {recursive}"
    paths = literal(shape.mounts)
    yield _each(
        "host root",
        f"{all_mounts}.all(m, !({root}) || ({guarded}))",
        "the host's root must be mounted readOnly, and recursively so where possible",
    )
    yield _each(
        "mount fields",
        f"{all_mounts}.all(m, dyn(m).all(k, k in {known}))",
        "mounts have fields that a session's mounts never have",
        f'{all_mounts}.map(m, dyn(m).filter(k, !(k in {known})).join(", ")).join(" ")',
    )
    unknown = f"!(m.mountPath in {paths}[?m.name].orValue([]))"
    yield _each(
        "mount paths",
        f"!{all_mounts}.exists(m, {unknown})",
        "volumes are mounted where a session does not need them",
        f'{all_mounts}.filter(m, {unknown}).map(m, m.name + " at " + m.mountPath).join(", ")',
    )


def _security(shape: Shape) -> Iterator[Rule]:
    known = literal(shape.security_fields)
    yield _each(
        "security fields",
        f"dyn({_SECURITY}).all(k, k in {known})",
        "securityContext has fields that a session's never has",
        f'dyn({_SECURITY}).filter(k, !(k in {known})).join(", ")',
    )
    if shape.privileged:
        return
    added = f"{_SECURITY}.?capabilities.add.orValue([])"
    capabilities = literal(shape.capabilities)
    yield _each(
        "privileged",
        f"!{_SECURITY}.?privileged.orValue(false)",
        "privileged containers are allowed with session.profile sysadmin only",
    )
    yield _each(
        "capabilities",
        f"{added}.all(k, k in {capabilities})",
        "capabilities are not among those allowed",
        f'{added}.filter(k, !(k in {capabilities})).join(", ")',
    )
    yield _each(
        "dropped capabilities",
        f'{_SECURITY}.?capabilities.drop.orValue([]) == ["ALL"]',
        "all other capabilities must be dropped",
    )
    yield _each(
        "SELinux",
        f'{_SECURITY}.?seLinuxOptions.orValue({{"type": "spc_t"}}) == {{"type": "spc_t"}}',
        "seLinuxOptions must be the type spc_t alone",
    )


def _limits(shape: Shape) -> Iterator[Rule]:
    limited = "dyn(c.?resources.limits.orValue({}))"
    yield _each(
        "resources",
        f"{limited}.all(k, k in {literal(_RESOURCES)})",
        "a session uses no devices nor other resources",
        f'{limited}.filter(k, !(k in {literal(_RESOURCES)})).join(", ")',
    )
    session = shape.plan.session
    for resource, limit in (
        ("memory", session.memory_limit),
        ("ephemeral-storage", session.ephemeral_storage_limit),
    ):
        given = f"c.?resources.limits[?{literal(resource)}]"
        yield _each(
            f"{resource} limit",
            f"{given}.hasValue() && !quantity(string({given}.value()))"
            f".isGreaterThan(quantity({literal(limit)}))",
            f"the limit of {resource} must be set, and at most {limit}",
        )
