"""The rules for the containers of a session's Pod. Pure."""

from collections.abc import Iterator
from typing import Final

from igpipe.deploy.cel import literal
from igpipe.deploy.rule import Rule
from igpipe.deploy.shape import HIDDEN

_ARGS: Final = "c.?args.orValue([])"
_SECURITY: Final = "c.?securityContext.orValue({})"
_RESOURCES: Final = ["cpu", "memory", "ephemeral-storage"]
_OUTSIDE_FLAGS: Final = ["-o", "-v", "--timeout", "--"]


def container_rules() -> Iterator[Rule]:
    """Yield what must hold for every container of the Pod."""
    yield from _program()
    yield from _arguments()
    yield from _mounts()
    yield from _security()
    yield from _limits()


def _each(name: str, holds: str, message: str, shown: str = "", told: str = "") -> Rule:
    """Make the rule that *holds* for every container ``c``; *shown* tells a bad one's value."""
    bad = f"variables.containers.filter(c, !({holds}))"
    detail = f'{bad}.map(c, c.name + ": " + {shown}).join("; ")' if shown else ""
    return Rule(name, f"variables.containers.all(c, {holds})", message, detail, told)


def _only(name: str, listed: str, known: str, message: str) -> Rule:
    """Make the rule that what is *listed* of every container is among what is *known*."""
    holds = f"{listed}.all(k, k in {known})"
    return _each(name, holds, message, f'{listed}.filter(k, !(k in {known})).join(", ")')


def _program() -> Iterator[Rule]:
    yield _only(
        "container fields",
        "dyn(c)",
        "variables.containerFields",
        "containers have fields that a session's containers never have",
    )
    yield _each(
        "image",
        "c.image.matches(variables.images)",
        "the image is not among those allowed",
        "c.image",
    )
    yield _each(
        "command",
        "c.?command.orValue([]) in variables.commands",
        "the command must be ig, or the tap in front of it",
        'c.?command.orValue([]).join(" ")',
        '"the command must be " + variables.commands.map(w, w.join(" ")).join(" or ")',
    )


def _arguments() -> Iterator[Rule]:
    is_flag = '(a.startsWith("--") && a.matches(variables.flags))'
    outside = f'a.startsWith("-") && !(a in {literal(_OUTSIDE_FLAGS)}) && !{is_flag}'
    yield _each(
        "flags",
        f"!{_ARGS}.exists(a, {outside})",
        "ig gets flags that are not among those allowed",
        f'{_ARGS}.filter(a, {outside}).join(" ")',
    )
    rest = f"{_ARGS}.filter(a, !{is_flag})"
    behind = f'{rest}[?0].orValue("") == "--"'
    yield _each(
        "tap",
        f'(c.?command.orValue([]) != ["ig"]) == ({behind})',
        "ig's command line must follow the tap's, behind --",
    )
    gadget = f"({behind} ? {rest}[?3] : {rest}[?1])"
    yield _each(
        "gadget",
        f'{gadget}.orValue("").matches(variables.gadgets)',
        "the gadget is not among those allowed",
        f'{gadget}.orValue("nothing")',
    )
    yield _each(
        "words",
        f'{rest}.join(" ").matches(variables.words) && !{rest}.exists(a, a.contains(" "))',
        "ig must be told to run one gadget, with JSON output and a timeout",
        f'{rest}.join(" ")',
    )
    numbers = f'{rest}.filter(a, a.matches("^[0-9]{{1,6}}$"))'
    yield _each(
        "timeout",
        f"{numbers}.all(a, int(a) <= variables.deadline)",
        "ig's --timeout must be within the deadline",
        f'{numbers}.join(" ")',
        '"ig\'s --timeout must be at most " + string(variables.deadline)',
    )
    hides = "a.startsWith(variables.hidden)"
    yield _each(
        "hidden namespaces",
        f'variables.hidden == "" || {_ARGS}.filter(a, {hides}).size() == 1',
        f"{HIDDEN} must be given once, hiding what must not be observed",
    )


def _mounts() -> Iterator[Rule]:
    all_mounts = "c.?volumeMounts.orValue([])"
    known = "variables.mountFields"
    root = 'm.name == "host"'
    recursive = 'm.?recursiveReadOnly.orValue("") in ["IfPossible", "Enabled"]'
    guarded = f"m.?readOnly.orValue(false) && {recursive}"
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
    unknown = "!(m.mountPath in variables.mountPaths[?m.name].orValue([]))"
    yield _each(
        "mount paths",
        f"!{all_mounts}.exists(m, {unknown})",
        "volumes are mounted where a session does not need them",
        f'{all_mounts}.filter(m, {unknown}).map(m, m.name + " at " + m.mountPath).join(", ")',
    )


def _security() -> Iterator[Rule]:
    yield _only(
        "security fields",
        f"dyn({_SECURITY})",
        "variables.securityFields",
        "securityContext has fields that a session's never has",
    )
    yield _each(
        "privileged",
        f"variables.privileged || !{_SECURITY}.?privileged.orValue(false)",
        "privileged containers are allowed with session.profile sysadmin only",
    )
    added = f"{_SECURITY}.?capabilities.add.orValue([])"
    yield _each(
        "capabilities",
        f"variables.privileged || {added}.all(k, k in variables.capabilities)",
        "capabilities are not among those allowed",
        f'{added}.filter(k, !(k in variables.capabilities)).join(", ")',
    )
    yield _each(
        "dropped capabilities",
        f'variables.privileged || {_SECURITY}.?capabilities.drop.orValue([]) == ["ALL"]',
        "all other capabilities must be dropped",
    )
    selinux = f'{_SECURITY}.?seLinuxOptions.orValue({{"type": "spc_t"}}) == {{"type": "spc_t"}}'
    yield _each(
        "SELinux",
        f"variables.privileged || {selinux}",
        "seLinuxOptions must be the type spc_t alone",
    )


def _limits() -> Iterator[Rule]:
    yield _only(
        "resources",
        "dyn(c.?resources.limits.orValue({}))",
        literal(_RESOURCES),
        "a session uses no devices nor other resources",
    )
    for resource, bound in (("memory", "memory"), ("ephemeral-storage", "storage")):
        given = f"c.?resources.limits[?{literal(resource)}]"
        yield _each(
            f"{resource} limit",
            f"{given}.hasValue() && !quantity(string({given}.value()))"
            f".isGreaterThan(quantity(variables.{bound}))",
            f"the limit of {resource} must be set, and within the configured one",
            told=f'"the limit of {resource} must be set, and at most " + variables.{bound}',
        )
