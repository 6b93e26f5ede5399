"""Every query of every dashboard, asked of a real Prometheus and a real Loki after igpipe ran."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.contracts.grafana import BOARDS, load, queries, variables
from tests.servers.demonstration import Demonstration, Refused, demonstration

pytestmark = pytest.mark.timeout(600)

UNPROVOKED: Final = {
    ("CPU of watching, on nodes", "A"): "only a tap tells it",
    ("Memory of watching, on a node", "A"): "only a tap tells it",
    ("Lines dropped and rejected", "A"): "no bound refuses a line: panels would be blank for it",
}
"""Queries (panel and reference) that nothing in the demonstration answers, and why."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """Let igpipe run for some of its periods."""
    with demonstration(tmp_path_factory.mktemp("demonstration")) as found:
        yield found


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_is_answered(shown: Demonstration, name: str) -> None:
    """Each is understood and returns something, with the variables as Grafana resolves them."""
    board = load(name)
    answers = {
        (asked.title, asked.target.get("refId", "annotation")): shown.answer(asked, board)
        for asked in queries(board)
    }
    assert {key: each for key, each in answers.items() if isinstance(each, Refused)} == {}
    assert {key for key, each in answers.items() if not each} <= UNPROVOKED.keys()


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_offers_something(shown: Demonstration, name: str) -> None:
    """Each has values to choose; only a label of the scraper's own may be missing."""
    board = load(name)
    asked = [variable for variable in variables(board) if variable["type"] == "query"]
    empty = [variable["name"] for variable in asked if not shown.offered(board, variable)]
    assert set(empty) <= {"cluster"}
