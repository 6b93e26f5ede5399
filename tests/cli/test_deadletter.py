"""Looking at dead letters, and sending them again."""

from pathlib import Path

from igpipe.config import DeadLettersConfig
from igpipe.errors import ConfigError, InputError
from igpipe.sinks.letterfile import Letter, LetterFile
from igpipe.sinks.ports import dead_letter
from tests.cli.typed import typed
from tests.sinks.samples import record


def configured(directory: Path, *records: bytes) -> str:
    """Write a configuration with a file sink, and keep *records* as its dead letters."""
    letters = directory / "letters"
    letters.mkdir()
    if records:
        file = LetterFile(DeadLettersConfig(directory=letters), letters, "out")
        verdict = dead_letter("rejected", "bad\x1b[31m", 400)
        file.append([Letter("out", 1_795_411_137.0, verdict, each) for each in records])
    path = directory / "igpipe.yaml"
    path.write_text(
        f"sinks: [{{type: file, name: out, path: {directory}/out.ndjson}}]\n"
        f"dead_letters: {{directory: {letters}}}\n"
    )
    return str(path)


def test_letters_are_counted_by_reason(tmp_path: Path) -> None:
    """With the last error, escaped: a server says what it likes."""
    result = typed("deadletter", "list", "-c", configured(tmp_path, record(0), record(1)))
    assert result.output == "out  2  rejected  400  2026-11-23T05:18:57+00:00  bad\\x1b[31m\n"


def test_no_letters_is_an_answer(tmp_path: Path) -> None:
    """And what cannot be read is listed as that."""
    path = configured(tmp_path)
    assert typed("deadletter", "list", "-c", path).output == "no dead letters\n"
    (tmp_path / "letters" / "out.ndjson").write_text("edited\n")
    assert "unreadable" in typed("deadletter", "list", "-c", path).output


def test_replay_sends_and_forgets(tmp_path: Path) -> None:
    """What the sink has now is no dead letter any more."""
    path = configured(tmp_path, record(0), record(1))
    result = typed("deadletter", "replay", "-c", path, "--sink", "out")
    assert (result.output, result.exit_code) == ("out: 2 sent, 0 too old, 0 left\n", 0)
    assert (tmp_path / "out.ndjson").read_bytes().splitlines() == [record(0), record(1)]
    assert typed("deadletter", "list", "-c", path).output == "no dead letters\n"


def test_replay_fails_while_letters_are_left(tmp_path: Path) -> None:
    """Exit 1, and the reason."""
    path = configured(tmp_path, record(0))
    (tmp_path / "out.ndjson").mkdir()
    result = typed("deadletter", "replay", "-c", path, "--within", "0.5")
    assert result.exit_code == 1
    assert "0 sent, 0 too old, 1 left; [Errno 21] Is a directory" in result.output


def test_it_says_what_is_missing(tmp_path: Path) -> None:
    """A directory, or the sink that was named."""
    assert isinstance(typed("deadletter", "list").exception, ConfigError)
    path = configured(tmp_path)
    result = typed("deadletter", "list", "-c", path, "--sink", "other")
    assert isinstance(result.exception, InputError)
