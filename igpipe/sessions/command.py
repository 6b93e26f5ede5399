"""
Write the command line of one gadget's ig, as a list of arguments for no shell. Pure.

ig lets a repeated flag overwrite the earlier one: each is given once, its values comma-joined.
``--auto-sd-unit-restart`` (ig 0.19-0.29) is never given: it would move ig into a systemd unit
outside the Pod, beyond its deadline and its deletion.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from igpipe.config import GadgetConfig, SessionConfig
from igpipe.errors import ConfigError
from igpipe.gadgets import GADGETS, Gadget, Kind, kind_of
from igpipe.sessions.plan import Plan, timeout_seconds

_NEWEST: Final = (999, 0)
_ANNOTATE_SINCE: Final = (0, 33)
_NAMESPACES_SINCE: Final = (0, 45)  # and iterators repeat since 0.46
_RESERVED: Final = {"timeout", "output", "verbose", "o", "t", "v"}
_MERGED: Final = {"annotate", "k8s-namespace"}
_MAX_ROWS: Final = "10000"  # built-in top gadgets print 50 rows otherwise
_OWN_INTERVAL: Final = {"top_process"}  # no iterator: has an interval in its image


def ig_arguments(gadget: GadgetConfig, plan: Plan) -> list[str]:
    """
    Return the arguments for ``ig`` that run *gadget* for a session.

    Raises ConfigError for what this generation of ig cannot do.
    """
    for key in gadget.params:
        if key in _RESERVED:
            raise ConfigError(f"gadgets.{gadget.name}.params.{key}: igpipe sets it itself")
    if plan.session.generation == "builtin":
        return _builtin(gadget, plan.session)
    return _image(gadget, plan)


def _image(gadget: GadgetConfig, plan: Plan) -> list[str]:
    session = plan.session
    version = _version(session.gadget_version)
    image = gadget.image or f"{session.gadget_registry}/{gadget.name}:{session.gadget_version}"
    arguments = ["run", image, "-o", "json", "-v", "--timeout", str(timeout_seconds(session))]
    if not session.verify_image:
        arguments.append("--verify-image=false")
    if session.gadget_store == "baked" or plan.carried:
        arguments.append("--pull=never")
    if kind_of(gadget.name) in (Kind.DELTAS, Kind.SLOTS):
        arguments.append(f"--map-fetch-interval={_interval(gadget, session)}ms")
    own = _listed(plan.cluster.namespace)  # none on a host without Kubernetes
    excluded = [f"!{name}" for name in (*own, *session.exclude_namespaces)]
    namespaces = [*excluded, *_listed(gadget.params.get("k8s-namespace"))]
    if namespaces and version >= _NAMESPACES_SINCE:
        arguments.append(f"--k8s-namespace={','.join(dict.fromkeys(namespaces))}")
    arguments += [*_socket(session), *_params(gadget.params)]
    annotations = _annotations(gadget, plan)
    if annotations and version >= _ANNOTATE_SINCE:
        arguments.append(f"--annotate={','.join(annotations)}")
    return arguments


def _annotations(gadget: GadgetConfig, plan: Plan) -> list[str]:
    known = GADGETS.get(gadget.name)
    own = [] if known is None else _known(known, gadget, plan)
    chosen = [f"{key}:{value}".replace(",", r"\,") for key, value in gadget.annotate.items()]
    return [*own, *chosen, *_listed(gadget.params.get("annotate"))]


def _known(known: Gadget, gadget: GadgetConfig, plan: Plan) -> list[str]:
    source = known.datasource
    annotations = [f"{source}.{field}:json.skip=true" for field in plan.skip(gadget.name)]
    if known.kind is Kind.SNAPSHOT and known.name not in _OWN_INTERVAL:
        interval = _interval(gadget, plan.session)
        annotations += [f"{source}:fetch-interval={interval}ms", f"{source}:fetch-count=0"]
    if known.kind in (Kind.DELTAS, Kind.SLOTS):  # else what came since the last interval is lost
        annotations.append(f"{source}:ebpf.map.flush-on-stop=true")
    if known.kind is Kind.SLOTS:  # ig prints nothing as JSON otherwise
        annotations.append(f"{source}:metrics.print=false")
    return annotations


def _builtin(gadget: GadgetConfig, session: SessionConfig) -> list[str]:
    known = GADGETS.get(gadget.name)
    if known is None or not known.builtin:
        raise ConfigError(
            f"gadgets.{gadget.name}: no built-in gadget of ig, expected session.generation: image"
        )
    if gadget.name == "trace_exec" and not session.keep_args:
        raise ConfigError("session.keep_args: built-in gadgets cannot leave arguments out")
    arguments = [*known.builtin, "-o", "json"]
    if known.kind is not Kind.SNAPSHOT:  # snapshots print once and end alone
        arguments += ["--timeout", str(timeout_seconds(session))]
    if known.kind is Kind.DELTAS:
        arguments += [f"--interval={_divisor(gadget, session)}", f"--max-rows={_MAX_ROWS}"]
    return [*arguments, *_socket(session), *_params(gadget.params)]


def _interval(gadget: GadgetConfig, session: SessionConfig) -> int:
    """Return milliseconds between reports: at least two fit into a session."""
    return round(1000 * min(gadget.interval, timeout_seconds(session) / 2))


def _divisor(gadget: GadgetConfig, session: SessionConfig) -> int:
    """Return the longest interval in seconds that divides the timeout, as built-ins demand."""
    timeout = timeout_seconds(session)
    longest = max(1, _interval(gadget, session) // 1000)
    return next(seconds for seconds in range(longest, 0, -1) if timeout % seconds == 0)


def _socket(session: SessionConfig) -> list[str]:
    path = session.runtime_socket
    return [f"--containerd-socketpath={path}"] if path else []


def _params(params: Mapping[str, str]) -> list[str]:
    return [f"--{key}={value}" for key, value in params.items() if key not in _MERGED]


def _listed(value: str | None) -> Sequence[str]:
    return [value] if value else []


def _version(tag: str) -> tuple[int, int]:
    """Read ``v0.55.1``; what is no version (``latest``, a digest) is taken for the newest."""
    match = re.match(r"v?(\d+)\.(\d+)", tag)
    return (int(match[1]), int(match[2])) if match else _NEWEST
