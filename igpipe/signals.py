"""Stop on SIGINT and SIGTERM: the first one asks, the second one does not."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_EXIT_BASE: Final = 128


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """
    Give an event that the first signal sets; a second one ends the process at once.

    What a second signal leaves behind ends by its own deadline: Pods by theirs.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def handle(number: int) -> None:
        if stop.is_set():
            os._exit(_EXIT_BASE + number)
        stop.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, handle, number)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
