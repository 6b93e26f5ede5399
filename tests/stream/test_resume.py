"""A resumed log has no line twice and no line missing that could be read; every gap is told."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igpipe.model import Block, Dropped, Gap, Resumed, StreamItem
from igpipe.stream.frames import LineCutter, lines_of
from igpipe.stream.resume import Resume
from tests.stream.kubelet import NodeLog, event, event_time

NOBODY: set[int] = set()


@dataclass
class Run:
    """A reader that follows a NodeLog and is cut, with what it handed on."""

    resume: Resume
    log: NodeLog = field(default_factory=NodeLog)
    out: list[StreamItem] = field(default_factory=list)
    next: int | None = None  # index of the next line of the connection; None: there is none
    unreadable: set[int] = field(default_factory=set)
    excuses: int = 0  # reopenings that could not show the marker

    def read(self, lines: int, size: int) -> None:
        """Read up to *lines* lines in chunks of *size* bytes, the last line perhaps in part."""
        if self.next is None:
            self._open()
        data = b"".join(self.log.lines[self.next : self.next + lines])
        self.next = min(self.next + lines, len(self.log.lines))
        for start in range(0, len(data), size):
            if whole := self.cutter.feed(data[start : start + size]):
                self.out += self.resume.feed(Block(whole, self.log.now))

    def cut(self) -> None:
        """Lose the connection in the middle of a line."""
        if self.next is not None and self.next < len(self.log.lines):
            self.cutter.feed(self.log.lines[self.next][:3])
        self.next = None

    def finish(self) -> None:
        """Read to the end and stop."""
        self.read(len(self.log.lines), 50)
        self.out += self.resume.finish(self.log.now)

    def _open(self) -> None:
        handled = self.handled()
        last = max(handled, default=-1)
        self.unreadable |= set(range(last + 1, self.log.active))
        self.excuses += bool(handled) and last < self.log.active
        self.cutter = LineCutter(1000)
        self.next = self.log.follow(self.resume.reopen())

    def handled(self) -> list[int]:
        """Return the indexes of the lines handed on (lines must be distinct)."""
        index = {line: number for number, line in enumerate(self.log.lines)}
        blocks = [item for item in self.out if isinstance(item, Block)]
        return [index[line] for block in blocks for line in lines_of(block.data)]

    def holes(self) -> set[int]:
        """Return the lines that are missing without a Gap where they should be."""
        index = {line: number for number, line in enumerate(self.log.lines)}
        expected, told, holes = 0, False, set()
        for item in self.out:
            told = told or isinstance(item, Gap)
            for line in lines_of(item.data) if isinstance(item, Block) else ():
                if not told:
                    holes |= set(range(expected, index[line]))
                expected, told = index[line] + 1, False
        return holes if told else holes | set(range(expected, len(self.log.lines)))


rounds = st.tuples(
    st.tuples(st.just("write"), st.integers(1, 90), st.sampled_from([0.0, 0.001, 0.4, 3.0])),
    st.tuples(st.just("read"), st.integers(1, 120), st.sampled_from([7, 100, 5000])),
    st.sampled_from([("cut",), ("cut",), ("rotate",), ("write", 5, 0.1)]),
    st.sampled_from([("cut",), ("write", 70, 0.01), ("read", 200, 5000)]),
)
actions = st.lists(rounds, max_size=10).map(lambda plan: [step for four in plan for step in four])


def play(run: Run, plan, make_line) -> Run:
    """Let the plan happen, and then read to the end."""
    for what, *args in plan:
        if what == "write":
            for _ in range(args[0]):
                run.log.now += args[1]
                run.log.write(make_line(len(run.log.lines), run.log.now))
        elif what == "read":
            run.read(*args)
        elif what == "cut":
            run.cut()
        else:
            run.log.rotate()
    run.finish()
    return run


def mixed(number: int, now: float) -> bytes:
    """Make events a little out of order, with lines of ig's own log among them."""
    if number % 5 == 3 or 20 < number % 200 < 40:
        return b"level=debug %d\n" % number
    return event(number, now - (number * 37 % 100) / 400)


def untimed(number: int, now: float) -> bytes:
    """Make lines without a time, as arrays are."""
    return b"[array number %d, quite long]\n" % number


def check(run: Run) -> None:
    """Assert what must hold for any log with distinct lines, however it was cut."""
    handled = run.handled()
    assert handled == sorted(set(handled)), "a line twice, or out of order"
    missing = set(range(len(run.log.lines))) - set(handled)
    first = min(handled, default=len(run.log.lines))
    assert {n for n in missing if n >= first} <= run.unreadable, "lost what could be read"
    assert {n for n in run.holes() if n >= first} == NOBODY, "a gap that was not told"
    gaps = sum(isinstance(item, Gap) for item in run.out)
    assert gaps <= run.excuses, "told a gap although the marker could be read"


@settings(max_examples=80)
@given(actions)
def test_events_resume_exactly_and_tell_every_gap(plan):
    """Cut at random, rotated at random: nothing twice, nothing lost in silence or needlessly."""
    check(play(Run(Resume(event_time)), plan, mixed))


@settings(max_examples=80)
@given(actions)
def test_arrays_resume_exactly_and_tell_every_gap(plan):
    """The same holds for lines without a time, replayed from the log's start."""
    check(play(Run(Resume(event_time, from_start=True)), plan, untimed))


@settings(max_examples=60)
@given(actions)
def test_repeated_lines_never_confuse_the_events(plan):
    """Lines that are all the same between the events make no event come twice or not at all."""

    def line(number: int, now: float) -> bytes:
        return event(number, now) if number % 3 == 0 else b"level=warn lost 5 samples\n"

    run = play(Run(Resume(event_time)), plan, line)
    seen = [x for i in run.out if isinstance(i, Block) for x in lines_of(i.data) if x[:1] == b"E"]
    assert seen == sorted(set(seen), key=seen.index)
    if not any(what == "rotate" for what, *_ in plan):
        assert b"".join(i.data for i in run.out if isinstance(i, Block)) == b"".join(run.log.lines)


@settings(max_examples=60)
@given(actions.map(lambda plan: [step for step in plan if step[0] != "rotate"]))
def test_equal_lines_are_counted(plan):
    """A log of nothing but equal lines, not rotated, is resumed to the line."""
    run = play(Run(Resume(event_time, from_start=True)), plan, lambda number, now: b"[]\n")
    out = b"".join(item.data for item in run.out if isinstance(item, Block))
    assert out == b"".join(run.log.lines)


def handled(resume: Resume, *lines: bytes, at: float = 100.0) -> None:
    """Let *resume* have handled *lines*."""
    resume.feed(Block(b"".join(lines), at))


def replay(resume: Resume, *lines: bytes, at: float = 200.0) -> list[StreamItem]:
    """Feed one chunk of a replay."""
    return resume.feed(Block(b"".join(lines), at))


def test_since_is_a_little_before_the_latest_event():
    """The replay asked for holds the marker although the API cuts to whole seconds."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.7), event(2, 50.2), b"level=info x\n")
    assert resume.reopen() == pytest.approx(50.2)


def test_since_is_never_in_the_future():
    """An event with an impossible time does not ask for a log that is still to come."""
    resume = Resume(event_time)
    handled(resume, event(1, 9_999.0), at=100.0)
    assert resume.reopen() == 99.5


def test_nothing_handled_is_nothing_to_seek():
    """A log that broke before its first line is simply read."""
    resume = Resume(event_time)
    assert resume.reopen() is None
    assert not resume.seeking
    assert resume.finish(1.0) == []


def test_exact_resume_says_so_and_goes_on():
    """The marker's reappearance is told, followed by the new lines only."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0), event(2, 51.0), at=60.0)
    resume.reopen()
    assert replay(resume, event(1, 50.0)) == []
    assert resume.seeking
    assert replay(resume, event(2, 51.0), event(3, 70.0)) == [
        Resumed(60.0, 200.0),
        Block(event(3, 70.0), 200.0),
    ]
    assert not resume.seeking


def test_gap_is_dated_by_the_lines_own_times():
    """A gap lasts as long on our clock as it did on the node's."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0), at=60.0)
    resume.reopen()
    later = event(2, 75.0)
    assert replay(resume, later) == [Gap(60.0, 85.0), Block(later, 200.0)]


def test_lines_within_the_tolerance_are_held_until_proof():
    """Events are not quite in order, so a slightly later one proves nothing yet."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0))
    resume.reopen()
    assert replay(resume, event(2, 50.9), b"level=debug\n") == []
    items = replay(resume, event(3, 51.5))
    assert [type(item) for item in items] == [Gap, Block]
    assert items[1].data == event(2, 50.9) + b"level=debug\n" + event(3, 51.5)


def test_log_that_begins_after_the_last_event_but_within_the_marker_is_exact():
    """A rotation between the last event and a later log line loses nothing, and none is told."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0), b"level=debug a\n", b"level=debug b\n")
    resume.reopen()
    assert replay(resume, b"level=debug b\n") == []
    assert replay(resume, event(2, 80.0)) == [Resumed(100.0, 200.0), Block(event(2, 80.0), 200.0)]


def test_earlier_copy_of_the_last_line_is_not_the_marker():
    """A line that occurs again and again does not end the search before the last event came."""
    resume = Resume(event_time)
    warning = b"level=warn lost\n"
    handled(resume, warning, event(1, 50.0), warning)
    resume.reopen()
    assert replay(resume, warning, event(1, 50.0)) == []
    assert [type(item) for item in replay(resume, warning, warning)] == [Resumed, Block]


def test_replay_that_is_not_from_the_start_is_not_counted():
    """A line equal to the log's first proves nothing about a replay from a later time."""
    resume = Resume(event_time)
    warning = b"level=warn lost\n"
    handled(resume, warning, event(1, 10.0), warning, event(2, 50.0))
    resume.reopen()
    assert replay(resume, warning) == []
    assert replay(resume, event(2, 50.0), event(3, 60.0))[1:] == [Block(event(3, 60.0), 200.0)]


def test_held_lines_are_bounded_and_then_handled():
    """Without the marker no more than the bound is held."""
    resume = Resume(event_time, hold=1000)
    handled(resume, event(1, 50.0))
    resume.reopen()
    out: list[StreamItem] = []
    for number in range(100):
        out += replay(resume, b"level=debug line %d\n" % number)
        assert not out or not resume.seeking
    assert isinstance(out[0], Gap)
    lines = b"".join(item.data for item in out[1:])
    assert lines == b"".join(b"level=debug line %d\n" % number for number in range(100))


def test_replay_that_began_before_the_marker_is_skipped_at_any_length():
    """A very loud second before the marker is no reason to handle it twice."""
    resume = Resume(event_time, hold=1000)
    past = [event(number, 50 + number / 1000) for number in range(500)]
    handled(resume, *past)
    resume.reopen()
    new = event(1000, 51.0)
    assert replay(resume, *past, new) == [Resumed(100.0, 200.0), Block(new, 200.0)]


def test_end_of_the_log_without_the_marker_is_a_gap():
    """What was held comes out at the end, after the gap."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0))
    resume.reopen()
    assert replay(resume, b"level=debug x\n") == []
    assert resume.finish(300.0) == [Gap(100.0, 300.0), Block(b"level=debug x\n", 300.0)]


def test_connection_lost_in_the_replay_starts_the_search_again():
    """What was held is thrown away with its connection: it will come again."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0))
    resume.reopen()
    assert replay(resume, event(2, 50.5)) == []
    resume.reopen()
    assert replay(resume, event(1, 50.0), event(2, 50.5)) == [
        Resumed(100.0, 200.0),
        Block(event(2, 50.5), 200.0),
    ]


def test_replayed_drop_is_not_counted_again():
    """A line too long was counted when it was handled; a new one counts."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0), event(2, 51.0))
    resume.reopen()
    drop = Dropped(1, 5000, "oversized")
    assert resume.feed(drop) == []
    replay(resume, event(2, 51.0))
    assert resume.feed(drop) == [drop]


def test_held_drop_comes_out_after_a_gap():
    """Without the marker a replayed drop is a new one."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0))
    resume.reopen()
    drop = Dropped(1, 5000, "oversized")
    resume.feed(drop)
    assert replay(resume, event(2, 80.0))[-1] == drop


def test_another_log_of_the_same_beginning_is_a_gap():
    """Counting is checked: if the marker is not where it must be, the log is not the same."""
    resume = Resume(event_time, from_start=True)
    handled(resume, b"[first line of all]\n", b"[second line of it]\n")
    assert resume.reopen() is None
    items = replay(resume, b"[first line of all]\n", b"[something else now]\n", b"[more]\n")
    assert items == [Gap(100.0, 200.0), Block(b"[more]\n", 200.0)]


def test_what_is_held_comes_out_in_blocks_that_a_queue_can_take():
    """A gap does not offer megabytes at once."""
    resume = Resume(event_time)
    handled(resume, event(1, 50.0))
    resume.reopen()
    for _ in range(20):
        replay(resume, b"x" * 99_999 + b"\n")
    blocks = resume.finish(300.0)[1:]
    assert sum(len(block.data) for block in blocks) == 2_000_000
    assert max(len(block.data) for block in blocks) <= 256 * 1024
