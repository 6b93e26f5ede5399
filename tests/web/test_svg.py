"""Small pictures."""

from igpipe.web import svg


def test_a_bar_stays_in_its_frame() -> None:
    """However large the share."""
    assert 'width="50.0%"' in svg.bar(0.5, good=True)
    assert 'width="100.0%"' in svg.bar(7.0, good=True)
    assert 'width="0.0%"' in svg.bar(-1.0, good=False)


def test_a_curve_spans_its_frame() -> None:
    """The highest value at the top; a flat zero at the bottom; one value is no curve."""
    assert 'points="0.0,19.0 50.0,1.0 100.0,10.0"' in svg.curve([0.0, 4.0, 2.0])
    assert 'points="0.0,19.0 100.0,19.0"' in svg.curve([0.0, 0.0])
    assert svg.curve([1.0]) == ""


def test_strings_are_escaped() -> None:
    """Titles and labels come from nodes."""
    drawn = svg.mark("<a>", "<b>", start=0, width=1) + svg.track("<c>", [], now=1)
    drawn += (
        svg.label("<d>", at=1) + svg.key("<e>") + svg.column("<f>", start=0, width=1, low=0, high=1)
    )
    assert not any(f"<{tag}>" in drawn for tag in "abcdef")
