"""Findings and versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.cli.findings import Level, failure, ok, older, some, told, warning


@pytest.mark.parametrize("version", ["v1.28.3", "v1.28.3-eks-1", "1.5", "v0.99.0", "1.28.0+k3s1"])
def test_older_versions(version: str) -> None:
    """Distributions add to the version what does not matter."""
    assert older(version, 1, 29)


@pytest.mark.parametrize("version", ["v1.29.0", "v1.100.0", "v2.0", "", "unknown", "v1"])
def test_versions_that_are_not_older(version: str) -> None:
    """What cannot be read is not accused."""
    assert not older(version, 1, 29)


@given(st.text())
def test_no_version_breaks_it(version: str) -> None:
    """A node may call its kernel what it likes."""
    older(version, 5, 10)


def test_some_names_a_few_of_many_escaped() -> None:
    """Five names, in order, and how many more."""
    assert some(["b", "a"]) == "a, b"
    assert some([f"n{i}" for i in range(8)]) == "n0, n1, n2, n3, n4 and 3 more"
    assert some(["\x1b[31m"]).isprintable()


def test_levels_have_their_makers() -> None:
    """What is fine needs no remedy."""
    levels = [ok("a").level, warning("a", "b").level, failure("a", "b").level]
    assert levels == [Level.OK, Level.WARNING, Level.FAILURE]


def test_told_escapes_and_is_never_empty() -> None:
    """An error without words has its name."""
    assert told(ValueError("a\x1b")) == "a\\x1b"
    assert told(ValueError()) == "ValueError"
