"""The last line of defence: exit codes and messages."""

from collections.abc import Callable

import pytest

from igpipe.__main__ import guard
from igpipe.errors import ClusterUnavailable, ConfigError, IgpipeError, InputError


def raising(error: BaseException) -> Callable[[], None]:
    """Return a command that ends with *error*."""

    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("f:1: web"), 2),
        (InputError("no"), 1),
        (ClusterUnavailable("no"), 1),
        (ValueError("bug"), 1),
        (ExceptionGroup("g", [ExceptionGroup("h", [ConfigError("a")])]), 2),
        (ExceptionGroup("g", [InputError("a"), ConfigError("b")]), 2),
        (ExceptionGroup("g", [ConfigError("a"), ValueError("bug")]), 1),
    ],
)
def test_errors_become_exit_codes(error: BaseException, code: int) -> None:
    """Groups are looked into; a bug is graver than a fault."""
    assert guard(raising(error)) == code


def test_no_error_is_success() -> None:
    """A command that returns has done its work."""
    assert guard(lambda: None) == 0


def test_messages_are_escaped_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Each fault has its line, and none drives the terminal."""
    guard(raising(ConfigError("a \x1b[31m\nb")))
    assert capsys.readouterr().err == "igpipe: a \\x1b[31m\nigpipe: b\n"


def test_an_error_without_words_is_told_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Silence would leave only the exit code."""
    guard(raising(IgpipeError()))
    assert capsys.readouterr().err == "igpipe: IgpipeError\n"


def test_a_bug_is_told_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """The log has what is needed to mend it."""
    guard(raising(ValueError("bug")))
    assert "ValueError: bug" in caplog.text


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_what_ends_the_process_passes(error: BaseException) -> None:
    """Exits and interrupts are not errors."""
    with pytest.raises(type(error)):
        guard(raising(error))
