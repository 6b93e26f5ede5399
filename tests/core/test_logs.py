"""The log: one line a record, fields, escaping, samples."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest

from igpipe import logs
from igpipe.logs import JsonFormatter, Sampled, TextFormatter

HOSTILE = 'a\x1b[31m\nINFO fake: line "x" \u202e'


def record(message: str = "pod gone", *args: object, **fields: object) -> logging.LogRecord:
    """Make a record as ``log.info(message, *args, extra=fields)`` does."""
    made = logging.LogRecord("igpipe.x", logging.INFO, "f", 1, message, args, None)
    made.created = 0.5
    vars(made).update(fields)
    return made


def _fail() -> None:
    raise ValueError("x\n2026-01-01 INFO fake: \x1b[31m")


@pytest.fixture
def _restored() -> Iterator[None]:
    """Put the process' logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for noisy in ("aiohttp", "asyncio", "kubernetes"):
        logging.getLogger(noisy).setLevel(logging.NOTSET)


def test_text_is_one_line_with_fields() -> None:
    """Time, level, logger, message and fields stand in one line."""
    line = TextFormatter().format(record(node="n1", count=3, reason="timed out", note=""))
    assert line == (
        "1970-01-01T00:00:00.500Z INFO igpipe.x: pod gone "
        'node=n1 count=3 reason="timed out" note=""'
    )


def test_json_keeps_types_and_cannot_be_overwritten() -> None:
    """Numbers stay numbers, other things are text, a field does not replace the level."""
    made = record(count=3, share=0.5, ok=True, huge=2**80, path=io.StringIO, level="fake")
    entry = orjson.loads(JsonFormatter().format(made))
    assert entry["level"] == "info"
    assert (entry["count"], entry["share"], entry["ok"]) == (3, 0.5, True)
    assert entry["huge"] == str(2**80)
    assert entry["path"].startswith("<class")


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_hostile_strings_are_escaped(formatter: logging.Formatter) -> None:
    """Neither a message nor a field can make a line or drive the terminal."""
    text = formatter.format(record("got %s", HOSTILE, comm=HOSTILE))
    assert len(text.splitlines()) == 1
    assert text.isprintable()


def test_a_traceback_is_indented_and_escaped() -> None:
    """What an exception says cannot pose as a line of the log."""
    made = record()
    try:
        _fail()
    except ValueError as exc:
        made.exc_info = (type(exc), exc, exc.__traceback__)
    first, *rest = TextFormatter().format(made).split("\n")
    assert first.endswith("pod gone")
    assert all(line.startswith("  ") and line.isprintable() for line in rest)
    assert orjson.loads(JsonFormatter().format(made))["traceback"][-1] == (
        "2026-01-01 INFO fake: \\x1b[31m"
    )


@pytest.mark.usefixtures("_restored")
def test_configure_sets_level_and_form() -> None:
    """Below the level nothing is written; libraries are quiet unless in debug."""
    out = io.StringIO()
    logs.configure("info", "json", out)
    logging.getLogger("igpipe.x").info("yes", extra={"n": 1})
    logging.getLogger("igpipe.x").debug("no")
    logging.getLogger("aiohttp.client").info("no")
    (line,) = out.getvalue().splitlines()
    assert orjson.loads(line)["n"] == 1


def test_sampled_lets_one_through_and_counts_the_rest() -> None:
    """Within an interval one message is told; the next one tells how many were held."""
    sampled = Sampled(interval=60)
    assert [sampled.take("a", now) for now in (0, 1, 59, 60)] == [0, None, None, 2]
    assert sampled.take("b", 1) == 0


def test_sampled_forgets_the_oldest_beyond_its_bound() -> None:
    """Memory is bounded, and what was forgotten is counted."""
    sampled = Sampled(keys=2)
    for key in ("a", "b", "c"):
        sampled.take(key, 0)
    assert sampled.forgotten == 1
    assert sampled.take("a", 1) == 0
    assert sampled.take("c", 1) is None
