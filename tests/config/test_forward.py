"""Filters, redactions and sinks."""

import pytest
from pydantic import ValidationError

from igpipe.config import Filter, LokiSink, Redaction


@pytest.mark.parametrize("model", [{"field": "a", "matches": "("}, {"field": "a", "matches": "*"}])
def test_a_filter_needs_a_regular_expression(model: dict[str, str]) -> None:
    """A pattern that cannot be compiled is refused, and why."""
    with pytest.raises(ValidationError, match="expected a regular expression"):
        Filter(**model)  # type: ignore[arg-type]


def test_a_redaction_has_fields_by_default() -> None:
    """What may hold secrets is covered without listing it."""
    assert "args" in Redaction(pattern="x").fields


@pytest.mark.parametrize("url", ["loki:3100", "ftp://loki", ""])
def test_loki_needs_an_http_address(url: str) -> None:
    """Anything else would fail at the first batch."""
    with pytest.raises(ValidationError):
        LokiSink(name="a", url=url)
