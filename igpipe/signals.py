"""Stop on SIGINT, SIGTERM and SIGHUP: the first one asks, the second one does not."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_EXIT_BASE: Final = 128


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """
    Give an event that the first signal sets; a second one ends the process at once.

    A terminal that is closed is a signal, too, except to a process that is to outlive it (nohup).
    What a second signal leaves behind ends by its own deadline: Pods by theirs.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def handle(number: int) -> None:
        if stop.is_set() and number != signal.SIGHUP:  # that may come twice for one terminal
            os._exit(_EXIT_BASE + number)
        stop.set()

    heard = [n for n in _SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, handle, number)
    try:
        yield stop
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
