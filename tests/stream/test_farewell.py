"""Whether ig's last words are there, however the log comes."""

import gzip
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.stream.farewell import Farewell

START = b'time="t" level=debug msg="starting op \\"cli\\""\n'
STOP = b'time="t" level=debug msg="closing op \\"oci\\""\n'
RECORDED = sorted(Path("tests/data/ig").glob("v0.5*/*.log.gz"))


def missing(*chunks: bytes) -> bool:
    """Feed *chunks* and tell whether the farewell is missing."""
    farewell = Farewell()
    for chunk in chunks:
        farewell.feed(chunk)
    return farewell.missing


def test_a_log_that_started_and_did_not_close_lacks_its_end() -> None:
    """What started must close."""
    assert missing(START, b"{}\n" * 5000)
    assert not missing(START, b"{}\n" * 5000, STOP)


def test_an_ig_that_tells_nothing_promises_nothing() -> None:
    """Built-in gadgets and foreign images say nothing, and are believed."""
    assert not missing(b"{}\n" * 5000)


def test_an_early_close_is_no_farewell() -> None:
    """ig closes operators while it reads the gadget's information, long before its end."""
    assert missing(STOP, START, b"{}\n" * 5000)


@given(st.lists(st.integers(1, 400), max_size=30))
def test_any_chunking_tells_the_same(sizes: list[int]) -> None:
    """Words may be torn by the chunks they come in."""

    def chunks(log: bytes) -> list[bytes]:
        cuts = [0, *accumulate(sizes), len(log)]
        return [log[since:until] for since, until in pairwise(cuts)]

    log = START + b"{}\n" * 2000
    assert not missing(*chunks(log + STOP))
    assert missing(*chunks(log))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_real_ig_says_goodbye(path: Path) -> None:
    """Every recorded log has its farewell, and lacks it when its last lines are cut off."""
    log = gzip.decompress(path.read_bytes())
    cut = path.name == "trace_exec.timestamps.log.gz"  # only the start was recorded
    assert missing(log) is cut
    assert missing(log[:-6000])
