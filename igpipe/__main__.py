"""The last line of defence: what a command could not handle becomes a message and an exit code."""

import logging
import sys
from collections.abc import Callable, Iterator

from igpipe import logs
from igpipe.cli import build_app
from igpipe.errors import ConfigError, IgpipeError
from igpipe.text import safe

log = logging.getLogger(__name__)

_MESSAGE_LIMIT = 2000


def main() -> None:
    """Run what the command line asks for."""
    logs.configure("warning", "text")  # until a command knows what the configuration says
    sys.exit(guard(build_app()))


def guard(command: Callable[[], object]) -> int:
    """
    Run *command* and return the exit code.

    0: done. 1: it failed, or a bug (with its traceback). 2: the configuration is wrong. Of a
    group of errors the gravest counts: a bug before a fault in the configuration before the rest.
    """
    code = 0
    try:
        command()
    except* IgpipeError as group:
        faults = list(_leaves(group))
        for fault in faults:
            _tell(fault)
        code = 2 if any(isinstance(fault, ConfigError) for fault in faults) else 1
    except* Exception:
        log.critical("igpipe failed, this is a bug", exc_info=True)
        code = 1
    return code


def _leaves(group: BaseExceptionGroup[IgpipeError]) -> Iterator[IgpipeError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _tell(error: IgpipeError) -> None:
    """Print an error's lines, escaped: it may quote the cluster or a node."""
    for line in (str(error) or type(error).__name__).split("\n"):
        sys.stderr.write(f"igpipe: {safe(line, _MESSAGE_LIMIT)}\n")


if __name__ == "__main__":
    main()
