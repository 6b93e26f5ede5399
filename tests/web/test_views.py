"""The API's schema, and that what tests show has it."""

from typing import get_type_hints

from igpipe.web.views import (
    AccountsView,
    GadgetView,
    LeaderRow,
    LeaderView,
    LookView,
    RotationView,
    SeriesView,
    SinkView,
    Status,
)
from tests.web.fakes import make_status


def test_the_example_has_every_key_of_the_schema() -> None:
    """Page and API are tested with what the service must give."""
    status = make_status()
    pairs = [
        (status, Status),
        (status["rotation"], RotationView),
        (status["last_looks"][0], LookView),
        (status["leaders"][0], LeaderView),
        (status["leaders"][0]["rows"][0], LeaderRow),
        (status["gadgets"]["trace_exec"], GadgetView),
        (status["sinks"][0], SinkView),
        (status["accounts"], AccountsView),
        (status["series"], SeriesView),
    ]
    for example, schema in pairs:
        assert example.keys() == get_type_hints(schema).keys()
