"""Dead letters: files that are bounded, shared, and lose nothing but by count."""

import logging
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from igpipe.config import DeadLettersConfig
from igpipe.sinks.letterfile import Letter, LetterFile, parse_letter
from igpipe.sinks.letters import DeadLetters
from igpipe.sinks.ports import Verdict, dead_letter
from igpipe.telemetry import Telemetry
from tests.sinks.samples import record

REFUSED = dead_letter("rejected", "400 mapper_parsing_exception", 400)


def file_in(directory: Path, *, max_bytes: int = 2**20, max_files: int = 2) -> LetterFile:
    """Make the file of a sink."""
    config = DeadLettersConfig(directory=directory, max_bytes=max_bytes, max_files=max_files)
    return LetterFile(config, directory, "es")


def letter(seq: int = 0, verdict: Verdict = REFUSED) -> Letter:
    """Make a dead letter."""
    return Letter("es", 1000.0, verdict, record(seq))


def seqs(lines: list[bytes]) -> list[int]:
    """Tell which records lines hold."""
    return [orjson.loads(line)["record"]["seq"] for line in lines]


def test_a_letter_tells_what_when_and_why() -> None:
    """A line of JSON around the record as it was."""
    assert orjson.loads(letter().line()) == {
        "sink": "es",
        "time": 1000.0,
        "reason": "rejected",
        "status": 400,
        "error": "400 mapper_parsing_exception",
        "record": orjson.loads(record()),
    }


@given(st.text(), st.text(), st.integers(0, 999), st.integers(0, 2**40))
def test_a_letter_is_read_as_it_was_written(reason: str, error: str, status: int, seq: int) -> None:
    """Whatever a server has said."""
    written = letter(seq, dead_letter(reason, error, status))
    assert parse_letter(written.line()) == written


@pytest.mark.parametrize(
    "line", [b"", b"{}\n", b'{"record":{}}', b'[1,"record":{}}', b'{"sink":1,"record":{}}\n']
)
def test_what_is_no_letter_is_told(line: bytes) -> None:
    """As after an edit by hand."""
    with pytest.raises(ValueError):  # noqa: PT011 - by whichever part of it was read first
        parse_letter(line)


def test_files_are_bounded_and_what_goes_is_counted(tmp_path: Path) -> None:
    """The oldest letters go with the oldest file."""
    size = len(letter().line())
    file = file_in(tmp_path, max_bytes=max(2**16, 0), max_files=1)
    per_file = 2**16 // size
    dropped = [file.append([letter(seq)]) for seq in range(3 * per_file)]
    assert dropped == [0] * 2 * per_file + [per_file] + [0] * (per_file - 1)
    assert seqs(list(file.read())) == list(range(per_file, 3 * per_file))
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "es.ndjson", "es.ndjson.1"}


def test_a_claim_takes_all_letters_and_a_release_returns_some(tmp_path: Path) -> None:
    """What comes meanwhile stays; who claims after a crash gets the same letters."""
    file = file_in(tmp_path)
    file.append([letter(seq) for seq in range(3)])
    assert seqs(file.claim()) == [0, 1, 2]
    file.append([letter(3)])
    assert seqs(list(file.read())) == [0, 1, 2, 3]
    lines = file_in(tmp_path).claim()
    assert seqs(lines) == [0, 1, 2, 3]
    file.release(lines[2:3])
    assert seqs(list(file.read())) == [2]
    file.release([])
    assert seqs(file.claim()) == [2]


def test_nothing_is_claimed_where_nothing_is(tmp_path: Path) -> None:
    """A sink without dead letters has no file."""
    file = file_in(tmp_path)
    assert file.claim() == []
    file.release([])
    assert list(file.read()) == []


class Desk:
    """The dead letters of a sink, and what is told of them."""

    def __init__(self, directory: Path) -> None:
        self.telemetry = Telemetry(CollectorRegistry())
        self.file = file_in(directory)
        records = self.telemetry.records
        self.letters = DeadLetters("es", lambda: 1000.0, records, self.file)

    def value(self, name: str, **labels: str) -> float:
        """Read a metric of the sink."""
        return self.telemetry.registry.get_sample_value(name, {"sink": "es", **labels}) or 0


async def test_letters_are_counted_by_reason_and_kept(tmp_path: Path) -> None:
    """Those of which it is not known which they are cannot be kept."""
    desk = Desk(tmp_path)
    desk.letters.add(record(0), REFUSED)
    desk.letters.add(record(1), dead_letter("partial", known=False))
    await desk.letters.write()
    await desk.letters.write()
    assert seqs(list(desk.file.read())) == [0]
    assert desk.letters.reasons == {"rejected": 1, "partial": 1}
    assert desk.value("igpipe_sink_dead_letters_total", reason="partial") == 1


async def test_a_disk_that_takes_nothing_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The letters are gone, by number and in the log."""
    desk = Desk(tmp_path / "missing")
    desk.letters.add(record(0), REFUSED)
    with caplog.at_level(logging.WARNING):
        await desk.letters.write()
    assert desk.value("igpipe_sink_dead_letters_dropped_total") == 1
    assert "dead letters cannot be kept" in caplog.messages
