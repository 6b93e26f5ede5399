"""``igpipe deploy``: print rights and policies, made for a configuration."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from igpipe.cli.common import ConfigPath, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from igpipe.config import Config
    from igpipe.deploy import Place


class What(StrEnum):
    """What can be printed."""

    RIGHTS = "rights"
    POLICIES = "policies"
    KYVERNO = "kyverno"
    GATEKEEPER = "gatekeeper"


_Images = Annotated[
    list[str],
    typer.Option("--allow-image", metavar="IMAGE", help="One more image of ig; PREFIX* for many."),
]
_Gadgets = Annotated[
    list[str],
    typer.Option("--allow-gadget", metavar="NAME", help="One more gadget; * for all."),
]
_Users = Annotated[
    list[str],
    typer.Option("--allow-user", metavar="USER", help="Who else may create session Pods."),
]


def deploy(  # noqa: PLR0913 - an option each
    what: Annotated[What, typer.Argument(help="Roles, or admission policies for an engine.")],
    config: ConfigPath = None,
    *,
    namespace: Annotated[str, typer.Option(help="igpipe's own namespace.")] = "igpipe",
    account: Annotated[str, typer.Option(help="igpipe's service account.")] = "igpipe",
    allow_image: _Images = [],  # noqa: B006 - typer reads it, nobody changes it
    allow_gadget: _Gadgets = [],  # noqa: B006 - as above
    allow_user: _Users = [],  # noqa: B006 - as above
    deadline: Annotated[
        int, typer.Option(metavar="SECONDS", help="The longest life of a session's Pod.")
    ] = 0,
) -> None:
    """
    Print rights or admission policies for kubectl apply.

    They are made from the configuration: apply them again when that changes. The chart does so
    by itself; this is for an installation without Helm, and for other engines.
    """
    from igpipe.deploy import Place, write_yaml

    place = Place(
        namespace=namespace,
        account=account,
        users=tuple(allow_user),
        images=tuple(allow_image),
        gadgets=tuple(allow_gadget),
        deadline=deadline,
    )
    typer.echo(write_yaml(_objects(what, prepare(config), place)), nl=False)


def _objects(what: What, config: "Config", place: "Place") -> "Iterable[dict[str, Any]]":
    from igpipe import deploy

    if what is What.RIGHTS:
        return deploy.rights(place, config.cluster.namespace)
    makers = {
        What.POLICIES: deploy.policies,
        What.KYVERNO: deploy.kyverno,
        What.GATEKEEPER: deploy.gatekeeper,
    }
    return makers[what](config, place)
