"""Filters, redactions and sinks."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from igpipe.config import ElasticsearchSink, Filter, LokiSink, Redaction


@pytest.mark.parametrize("model", [{"field": "a", "matches": "("}, {"field": "a", "matches": "*"}])
def test_a_filter_needs_a_regular_expression(model: dict[str, str]) -> None:
    """A pattern that cannot be compiled is refused, and why."""
    with pytest.raises(ValidationError, match="expected a regular expression"):
        Filter(**model)  # type: ignore[arg-type]  # of any shape


def test_a_redaction_has_fields_by_default() -> None:
    """What may hold secrets is covered without listing it."""
    assert "args" in Redaction(pattern="x").fields


@pytest.mark.parametrize("url", ["loki:3100", "ftp://loki", ""])
def test_loki_needs_an_http_address(url: str) -> None:
    """Anything else would fail at the first batch."""
    with pytest.raises(ValidationError):
        LokiSink(name="a", url=url)


@pytest.mark.parametrize("tenant", ["{pod}", "{", "a}", "{{namespace}}"])
def test_a_tenant_has_no_other_place_holder(tenant: str) -> None:
    """What would be sent as it stands is a typing error."""
    with pytest.raises(ValidationError, match="only thing in braces"):
        LokiSink(name="a", url="http://a", tenant=tenant)


@pytest.mark.parametrize("name", ["0", "a.b", "a-b", ""])
def test_a_label_has_a_name_that_loki_takes(name: str) -> None:
    """Loki would refuse every request."""
    with pytest.raises(ValidationError, match="static_labels"):
        LokiSink(name="a", url="http://a", static_labels={name: "x"})


def test_a_label_has_a_value_that_loki_takes() -> None:
    """Here, too. How long it may be is for Loki's own configuration to say."""
    with pytest.raises(ValidationError, match=r"static_labels\.env\n.*expected no U\+FFFD"):
        LokiSink(name="a", url="http://a", static_labels={"env": "a\ufffdb"})


def test_a_sink_has_one_identity() -> None:
    """Of two, one would be ignored."""
    with pytest.raises(ValidationError, match="at most one of"):
        LokiSink(name="a", url="http://a", username="me", token_file=Path("/t"))


@pytest.mark.parametrize("namespace", ["a-b", "A", "", "*"])
def test_a_data_streams_last_word_is_one(namespace: str) -> None:
    """A dash would begin another word."""
    with pytest.raises(ValidationError):
        ElasticsearchSink(name="a", url="http://a", namespace=namespace)
