"""``igpipe rules``: print recording rules and alerts, made for a configuration."""

from enum import StrEnum
from typing import Annotated

import typer

from igpipe.cli.common import ConfigPath, prepare


class Format(StrEnum):
    """How rules are written."""

    PROMETHEUS = "prometheus"
    CRD = "crd"


def rules(
    config: ConfigPath = None,
    *,
    form: Annotated[
        Format, typer.Option("--format", help="A rule file, or a PrometheusRule manifest.")
    ] = Format.PROMETHEUS,
    runbooks: Annotated[
        str, typer.Option(metavar="URL", help="Where docs/runbooks is to be read.")
    ] = "docs/runbooks",
    label: Annotated[
        list[str], typer.Option(metavar="KEY=VALUE", help="A label of every alert.")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    namespace: Annotated[str, typer.Option(help="The PrometheusRule's namespace.")] = "igpipe",
    manifest_label: Annotated[
        list[str],
        typer.Option(metavar="KEY=VALUE", help="A label of the PrometheusRule itself."),
    ] = [],  # noqa: B006 - as above
) -> None:
    """
    Print Prometheus' recording rules and alerts.

    Their windows follow the configuration's period: render them again when that changes.
    """
    from igpipe.rules import Naming, render_manifest, render_rules

    naming = Naming(
        runbooks=runbooks,
        labels=_labels("--label", label),
        namespace=namespace,
        manifest_labels=_labels("--manifest-label", manifest_label),
    )
    render = render_manifest if form is Format.CRD else render_rules
    typer.echo(render(prepare(config), naming), nl=False)


def _labels(option: str, given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for each, (key, _, value) in zip(given, pairs, strict=True):
        if not key or not value:
            raise typer.BadParameter(f"expected KEY=VALUE, got {each!r}", param_hint=option)
    return {key: value for key, _, value in pairs}
