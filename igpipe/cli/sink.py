"""``igpipe sink``: what a sink's server has to be told."""

from enum import StrEnum

import typer


class Flavour(StrEnum):
    """Servers that speak the same protocol and differ in their templates."""

    ELASTICSEARCH = "elasticsearch"
    OPENSEARCH = "opensearch"


def template(server: Flavour) -> None:
    """
    Print the index template of igpipe's data streams.

    Give it to the server: igpipe sink template opensearch | curl -H 'Content-Type:
    application/json' -T - https://…/_index_template/igpipe
    """
    from igpipe.sinks.template import render_template

    typer.echo(render_template(server.value), nl=False)
