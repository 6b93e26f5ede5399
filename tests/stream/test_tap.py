"""Frames become lines, exact gaps, reports and proof; whatever the log did to them."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.model import Block, Gap, NodeCost, Report, Resumed, StreamItem
from igpipe.stream.tap import FrameReading
from tests.stream.frames import READY, Tap, events

NOW = 1_800_000_100.0
LIMIT = 1 << 20


def feed(reading: FrameReading, *chunks: bytes, now: float = NOW) -> list[StreamItem]:
    """Give chunks and collect what they hold."""
    return [item for chunk in chunks for item in reading.feed(chunk, now)]


def lines(items: Iterable[StreamItem]) -> bytes:
    """Join the lines of all blocks."""
    return b"".join(item.data for item in items if isinstance(item, Block))


def last_report(items: Iterable[StreamItem]) -> Report:
    """Take the last report."""
    return [item for item in items if isinstance(item, Report)][-1]


def missed(items: Iterable[StreamItem]) -> int:
    """Sum up the missed lines."""
    return sum(item.missed for item in items if isinstance(item, Report))


def test_a_whole_session_is_read_to_its_end() -> None:
    """Lines come in order, exposure is the node's own, the end frame tells what it cost."""
    tap, reading = Tap(), FrameReading(LIMIT)
    chunks = (tap.hello(), tap.ready(1), tap.data(2, 1, 2), tap.data(3, 3))
    items = feed(reading, *chunks)
    assert reading.unfinished
    items += feed(reading, tap.heartbeat(60), tap.end(61))
    assert lines(items) == READY + events(1, 2, 3)
    assert last_report(items).observed == 60.0
    assert not any(isinstance(item, Gap) for item in items)
    assert not reading.unfinished
    assert sum(each.size for each in items if isinstance(each, Report)) > sum(map(len, chunks))
    assert reading.cost == NodeCost(1.5, 0.25, 90_000_000, 9_000_000)


def test_silence_is_proven_by_heartbeats() -> None:
    """Nothing but heartbeats still proves that ig observed."""
    tap, reading = Tap(), FrameReading(LIMIT)
    items = feed(reading, tap.ready(0.5), *(tap.heartbeat(t) for t in range(1, 31)))
    assert last_report(items).observed == 29.5


def test_missed_frames_are_counted_to_the_line() -> None:
    """Frames that never came leave an exact number of lines, and no exposure for their time."""
    tap, reading = Tap(), FrameReading(LIMIT)
    items = feed(reading, tap.ready(0), tap.data(1, 1))
    tap.data(2, *range(2, 50))
    tap.data(3, *range(50, 77))
    items += feed(reading, tap.data(4, 77), now=NOW + 4)
    assert lines(items) == READY + events(1, 77)
    assert missed(items) == 75
    assert [item for item in items if isinstance(item, Gap)] == [Gap(NOW, NOW + 4)]
    assert last_report(items).observed == 1.0


def test_missed_heartbeats_are_no_gap() -> None:
    """Where the sums say that nothing was printed, nothing is missed and nothing unproven."""
    tap, reading = Tap(), FrameReading(LIMIT)
    items = feed(reading, tap.ready(0), tap.data(1, 1))
    tap.heartbeat(2)
    items += feed(reading, tap.data(3, 2))
    assert missed(items) == 0
    assert last_report(items).observed == 3.0


def test_a_log_that_begins_late_tells_what_was_before() -> None:
    """Lines rotated away before the first connection are counted, too."""
    tap, reading = Tap(), FrameReading(LIMIT)
    tap.hello()
    tap.ready(1)
    tap.data(2, 1, 2, 3)
    items = feed(reading, tap.data(3, 4), tap.heartbeat(5))
    assert missed(items) == 4
    assert last_report(items).observed == 2.0


def test_a_replay_is_left_out_and_goes_on_exactly() -> None:
    """Frames that come again are known by their number; nothing is doubled."""
    tap, reading = Tap(), FrameReading(LIMIT)
    log = [tap.ready(0), *(tap.data(t, t) for t in range(1, 6))]
    items = feed(reading, *log[:4], now=NOW)
    since = reading.reopen()
    assert since is not None
    assert since == pytest.approx(1_800_000_000 + 3 - 0.5)
    items += feed(reading, *log[2:], now=NOW + 9)
    assert lines(items) == READY + events(1, 2, 3, 4, 5)
    assert Resumed(NOW, NOW + 9) in items


def test_a_replay_that_lacks_frames_is_a_gap() -> None:
    """What was rotated away between two connections is counted; it is no exact resume."""
    tap, reading = Tap(), FrameReading(LIMIT)
    items = feed(reading, tap.ready(0), tap.data(1, 1))
    tap.data(2, 2, 3)
    reading.reopen()
    items += feed(reading, tap.data(3, 4), now=NOW + 3)
    assert missed(items) == 2
    assert Gap(NOW, NOW + 3) in items
    assert not any(isinstance(item, Resumed) for item in items)


def test_torn_frames_are_counted_and_their_lines_missed() -> None:
    """Half a frame, or a kubelet's error, costs itself only."""
    tap, reading = Tap(), FrameReading(LIMIT)
    items = feed(reading, tap.ready(0))
    torn = tap.data(1, 1, 2)[:30] + b"\n"
    items += feed(reading, torn, b"rpc error: code = Unknown\n", tap.data(2, 3))
    assert sum(item.bad for item in items if isinstance(item, Report)) == 2
    assert missed(items) == 2
    assert lines(items) == READY + events(3)


def test_a_replay_that_begins_inside_a_frame_is_no_fault() -> None:
    """The runtime logs long lines in pieces, and a replay by time may begin with any of them."""
    tap, reading = Tap(), FrameReading(LIMIT)
    frame = tap.ready(0)
    items = feed(reading, frame)
    reading.reopen()
    items += feed(reading, frame[40:], tap.data(1, 1))
    assert sum(item.bad for item in items if isinstance(item, Report)) == 0
    reading.reopen()
    items += feed(reading, b"rpc error\n", b"rpc error\n")
    assert sum(item.bad for item in items if isinstance(item, Report)) == 1


def test_what_the_tap_dropped_filtered_and_missed_of_the_kernel_is_told() -> None:
    """Sums become differences; what a missed line told of lost samples is not lost with it."""
    tap, reading = Tap(), FrameReading(LIMIT)
    items = feed(reading, tap.hello())
    tap.encoder.drop(3, 300)
    tap.encoder.filter(2)
    tap.encoder.stderr(b'time="x" level=warning msg="lost 40 samples"\n', tap.at(1))
    items += feed(reading, b"".join(tap.encoder.stderr(b'msg="lost 2 samples"\n', tap.at(2))))
    report = last_report(items)
    assert (report.dropped, report.dropped_bytes, report.filtered) == (3, 300, 2)
    assert (report.missed, report.lost) == (1, 40)


def test_frames_of_another_tap_are_refused() -> None:
    """A frame whose sums fall is invented or of somebody else, and changes nothing."""
    one, other, reading = Tap(), Tap(), FrameReading(LIMIT)
    items = feed(reading, one.ready(0), one.data(1, *range(10)))
    for _ in range(5):
        other.hello()
    items += feed(reading, other.data(9, 99), one.data(2, 10))
    assert lines(items) == READY + events(*range(11))
    assert sum(item.bad for item in items if isinstance(item, Report)) == 1
    assert missed(items) == 0


def test_a_line_longer_than_any_frame_is_not_kept() -> None:
    """Bytes without end are bounded: one bad line, however long."""
    reading = FrameReading(LIMIT)
    items = feed(reading, *[b"x" * 100_000] * 100, b"\n")
    assert last_report(items).bad == 1


@given(st.data())
def test_every_line_is_handled_or_missed(data: st.DataObject) -> None:
    """Frames lost, torn or repeated, in any chunks: lines = handled + missed, in order."""
    tap, reading = Tap(), FrameReading(LIMIT)
    log, number = [tap.hello()], 0
    for t in range(1, data.draw(st.integers(2, 12))):
        count = data.draw(st.integers(1, 9))
        log.append(tap.data(t, *range(number, number + count)))
        number += count
    kept = []
    for frame in log:
        match data.draw(st.sampled_from(["keep", "keep", "lose", "tear", "repeat"])):
            case "keep":
                kept.append(frame)
            case "tear":
                kept.append(frame[: len(frame) // 2] + b"\n")
            case "repeat":
                kept += [frame, frame]
    text = b"".join([*kept, tap.end(99)])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=9)))
    bounds = [0, *cuts, len(text)]
    chunks = [text[a:b] for a, b in itertools.pairwise(bounds)]
    items = feed(reading, *chunks)
    handled = lines(items).splitlines()
    assert len(handled) + missed(items) == number
    assert handled == sorted(set(handled), key=lambda line: int(line[5:-1]))
