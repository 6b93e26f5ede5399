"""What a sink's server has to be told."""

import json

import pytest

from tests.cli.typed import typed


@pytest.mark.parametrize("server", ["elasticsearch", "opensearch"])
def test_the_template_is_json(server: str) -> None:
    """Ready to be sent to the server."""
    result = typed("sink", "template", server)
    assert json.loads(result.output)["data_stream"] == {}
