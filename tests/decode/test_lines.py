"""Lines in, events and an exact account out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.decode import REJECTS, LineDecoder, line_time
from igpipe.decode.lines import FOREIGN, NOTICES
from igpipe.model import Event, LineAccount
from tests.decode.recorded import ARRAY_LIMIT, LINE_LIMIT, decode

_READY = b'time="2026-08-21T12:48:31Z" level=debug msg=running...\n'
_LOST = b'time="2026-08-21T12:48:39Z" level=warning msg="reading event: lost 12 samples"\n'


def test_an_event_arrives_with_its_line() -> None:
    """The line is handed on as it came, for whoever forwards it."""
    decoded = decode(b'{"a":1}\n')
    assert (decoded.events, decoded.lines) == ([{"a": 1}], [b'{"a":1}\n'])


def test_rows_of_an_array_are_events_of_one_line() -> None:
    """An array is one line, its rows are events without a line of their own."""
    decoded = decode(b'[{"a":1},{"a":2}]\n')
    assert (decoded.events, decoded.lines) == ([{"a": 1}, {"a": 2}], [None, None])
    assert (decoded.account.event_lines, decoded.account.events) == (1, 2)


@pytest.mark.parametrize("empty", [b"[]\n", b"null\n", b"null\r\n", b"null"])
def test_an_empty_array_is_an_event_line_without_events(empty: bytes) -> None:
    """Both generations have a way to say that there is nothing."""
    account = decode(empty).account
    assert (account.event_lines, account.events, account.rejected) == (1, 0, {})


def test_bad_rows_cost_themselves_only() -> None:
    """Good rows of an array count although others are bad."""
    account = decode(b'[{"a":1},5,null,{"a":2}]\n').account
    assert (account.events, account.rejected_rows, account.rejected) == (2, 2, {})


def test_an_array_without_a_good_row_is_rejected() -> None:
    """Such a line is no event line."""
    account = decode(b"[1,2]\n").account
    assert (account.event_lines, account.rejected_rows, account.rejected) == (0, 2, {"shape": 1})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":1', "json"),
        (b'{"a":,}', "json"),
        (b'{"a":NaN}', "json"),
        (b'"odName":"x"},"pid":1}', "json"),
        (b'odName":"x"},"pid":1}', "json"),
        (b'}],"pid":1}', "json"),
        (b'[{"a":1},', "json"),
        (b'{"a":"\xff"}', "utf8"),
        (b'{"a":"\\ud800"}', "utf8"),
        (b'":"\xff\xfe', "utf8"),
        (b'{"a":1e999}', "number"),
        (b'{"a":' + b"9" * 400 + b"}", "number"),
        (b"[" * 5000, "depth"),
        (b'{"a":' * 5000, "depth"),
        (b'{"a":1}{"b":2}', "glued"),
        (b'{"a":1}time="x" level=debug msg=running...', "glued"),
        (b'[{"a":1}][{"a":2}]', "glued"),
        (b"rpc error: code = NotFound desc = an error occurred", "kubelet"),
        (b"failed to try resolving symlinks in path: lstat /var/log", "stderr"),
        (b'failed to try resolving symlinks in path "/var/log/pods/x"', "kubelet"),
    ],
)
def test_a_bad_line_is_counted_under_its_reason(line: bytes, reason: str) -> None:
    """Each way to be bad has one reason, of a bounded set."""
    account = decode(line + b"\n").account
    assert account.balanced()
    if reason == "stderr":
        assert (account.stderr, account.rejected) == (1, {})
    else:
        assert account.rejected == {reason: 1}
        assert reason in REJECTS


def test_integers_are_exact_up_to_64_bits_and_floats_beyond() -> None:
    """The largest that ig can write is exact; more is approximate, not lost."""
    decoded = decode(b'{"a":18446744073709551615,"b":18446744073709551616}\n')
    assert decoded.events == [{"a": 2**64 - 1, "b": float(2**64)}]


@pytest.mark.parametrize("error", FOREIGN)
def test_an_event_that_its_consumer_cannot_use_is_rejected(error: type[Exception]) -> None:
    """Whatever a foreign shape raises is the reject reason shape, and the next line counts."""
    account = LineAccount()

    def refuse_first(event: Event, line: bytes | None) -> None:
        if event["n"] == 0:
            raise error("no")

    decoder = LineDecoder("x", refuse_first, account, line_limit=100, array_limit=100)
    decoder.feed(b'{"n":0}\n{"n":1}\n[{"n":0},{"n":1}]\n[{"n":0}]\n')
    assert (account.lines, account.event_lines, account.events) == (4, 2, 2)
    assert (account.rejected, account.rejected_rows) == ({"shape": 2}, 2)


def test_a_bug_in_a_consumer_is_not_swallowed_and_leaves_the_account_balanced() -> None:
    """Only what foreign data can cause is caught."""
    account = LineAccount()

    def crash(event: Event, line: bytes | None) -> None:
        if event["n"] == 1:
            raise AssertionError

    decoder = LineDecoder("x", crash, account, line_limit=100, array_limit=100)
    with pytest.raises(AssertionError):
        decoder.feed(b'{"n":0}\n{"n":1}\n')
    assert (account.lines, account.events, account.balanced()) == (1, 1, True)


def test_each_kind_of_line_has_its_limit() -> None:
    """A longer event, array or text is rejected unparsed."""
    account = LineAccount()
    decoder = LineDecoder("x", _ignore, account, line_limit=16, array_limit=32)
    decoder.feed(b'{"a":"1234567"}\n' + b'{"a":"12345678"}\n')
    decoder.feed(b"[" + b" " * 29 + b"]\n" + b"[" + b" " * 30 + b"]\n" + b"x" * 16 + b"\n")
    assert (account.event_lines, account.rejected) == (2, {"oversized": 3})


def test_readiness_and_loss_are_told_in_order() -> None:
    """Notices come back with the call that found them, lost samples summed in the account."""
    decoded = decode(_READY + b'{"a":1}\n' + _LOST + _LOST)
    assert [(n.kind.value, n.count) for n in decoded.notices] == [
        ("ready", 1),
        ("lost", 12),
        ("lost", 12),
    ]
    assert (decoded.account.lost_samples, decoded.account.stderr) == (24, 3)


@pytest.mark.parametrize("extra", [b'"type":"warn",', b""])
def test_loss_that_a_built_in_reports_is_no_event(extra: bytes) -> None:
    """Its JSON line counts as stderr, also where the gadget's own type hides the base's."""
    decoded = decode(b'{"runtime":{},"k8s":{},' + extra + b'"message":"lost 3 samples","uid":0}\n')
    assert (decoded.events, decoded.account.stderr, decoded.account.lost_samples) == ([], 1, 3)


def test_an_error_that_a_built_in_reports_is_told() -> None:
    """Errors come as JSON there."""
    decoded = decode(b'{"type":"err","message":"Error reading perf ring buffer: EOF"}\n')
    assert [(n.kind.value, n.text) for n in decoded.notices] == [
        ("error", "Error reading perf ring buffer: EOF")
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"message":"lost 3 samples","timestamp":1,"type":"warn"}\n',
        b'{"message":"hello","type":"normal"}\n',
        b'{"message":"hello"}\n',
        b'{"message":5,"type":"warn"}\n',
        b'{"message":"x","type":["warn"]}\n',
    ],
)
def test_a_field_named_message_alone_makes_no_notice(line: bytes) -> None:
    """Other gadgets may have such a field."""
    account = decode(line).account
    assert account.stderr == 0
    assert account.balanced()


def test_a_built_in_open_by_root_has_its_uid() -> None:
    """Its formatter leaves a zero uid out, yet prints a zero gid."""
    line = b'{"pid":1,"gid":0,"path":"/"}\n'
    assert decode(line, "trace_open").events == [{"pid": 1, "gid": 0, "path": "/", "uid": 0}]
    assert decode(line, "trace_exec").events == [{"pid": 1, "gid": 0, "path": "/"}]
    assert "uid" not in decode(b'{"proc":{}}\n', "trace_open").events[0]


def test_notices_are_bounded() -> None:
    """A block of nothing but text lines returns the last ones; all are counted."""
    decoded = decode(b"".join(b"line %d\n" % n for n in range(5 * NOTICES)))
    assert len(decoded.notices) == NOTICES
    assert decoded.notices[-1].text == f"line {5 * NOTICES - 1}"
    assert decoded.account.stderr == 5 * NOTICES


def test_blank_lines_are_counted_and_not_told() -> None:
    """They are part of a usage message."""
    decoded = decode(b"\n\r\n  \n")
    assert (decoded.notices, decoded.account.stderr, decoded.account.lines) == ([], 3, 3)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b'{"timestamp_raw":1500000000}\n', 1.5),
        (b'{"timestamp":"1970-01-01T00:00:01.5Z"}', 1.5),
        (b'{"timestamp_raw":1500000000', None),
        (b'{"a":1}', None),
        (b'[{"timestamp_raw":1500000000}]', None),
        (_READY, None),
        (b"", None),
    ],
)
def test_only_an_event_line_has_a_time(line: bytes, seconds: float | None) -> None:
    """In unix seconds, for whoever has to find a place in a log again."""
    assert line_time(line) == seconds


_LINES = st.lists(
    st.one_of(
        st.dictionaries(st.text(max_size=4), st.integers() | st.text() | st.none(), max_size=3).map(
            lambda value: json.dumps(value).encode()
        ),
        st.lists(st.dictionaries(st.text(max_size=3), st.booleans()), max_size=3).map(
            lambda value: json.dumps(value).encode()
        ),
        st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")),
        st.sampled_from([_READY.strip(), _LOST.strip(), b"null", b"[]", b"Error: x"]),
    ),
    max_size=20,
)


@given(_LINES, st.integers(0, 20))
def test_any_division_into_blocks_gives_the_same(lines: list[bytes], at: int) -> None:
    """Where a block ends changes neither events nor account."""
    whole, parts, account = decode(b"".join(line + b"\n" for line in lines)), [], LineAccount()
    decoder = LineDecoder(
        "trace_exec",
        lambda event, line: parts.append(event),
        account,
        line_limit=LINE_LIMIT,
        array_limit=ARRAY_LIMIT,
    )
    for part in (lines[:at], lines[at:]):
        decoder.feed(b"".join(line + b"\n" for line in part))
    assert (parts, account) == (whole.events, whole.account)
    assert (account.lines, account.balanced()) == (len(lines), True)


def _ignore(event: Event, line: bytes | None) -> None:
    """Take any event."""
