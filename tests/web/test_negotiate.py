"""Content negotiation by the letter of the headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.web.negotiate import accepts_gzip, wants_openmetrics

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        (PROMETHEUS_3, True),
        ("application/openmetrics-text", True),
        ('application/openmetrics-text; version="1.0.0"', True),
        ("APPLICATION/OpenMetrics-Text; Version=1.0.0", True),
        ("application/openmetrics-text;q=0.9, text/plain;q=0.1", True),
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/openmetrics-text;q=0.3, text/plain;q=0.3", False),
        ("application/openmetrics-text;q=0.3, text/*;q=0.4", False),
        ("application/openmetrics-text;version=0.0.1", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nan", False),
        ("application/openmetrics-text;q=x", False),
        ("application/openmetrics-text;q=7", False),
    ],
)
def test_openmetrics_needs_to_be_preferred(accept: str, openmetrics: bool) -> None:
    """OpenMetrics is sent to who asks for 1.0 with a higher quality than for text."""
    assert wants_openmetrics(accept) is openmetrics


@pytest.mark.parametrize(
    ("header", "gzip"),
    [
        ("gzip", True),
        ("gzip;q=0.1, br", True),
        ("deflate, *", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *;q=1", False),
        ("xgzip", False),
    ],
)
def test_gzip_needs_to_be_accepted(header: str, gzip: bool) -> None:
    """Packed is sent only to who can unpack."""
    assert accepts_gzip(header) is gzip


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    """Whatever a client sends is read somehow."""
    wants_openmetrics(header)
    accepts_gzip(header)
