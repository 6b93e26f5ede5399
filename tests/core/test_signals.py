"""Stopping on signals: the first asks, the second ends the process."""

import asyncio
import os
import signal
import subprocess
import sys

from igpipe.signals import stopping


async def test_the_first_signal_sets_the_event() -> None:
    """SIGTERM asks to stop."""
    with stopping() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 5)


async def test_a_closed_terminal_asks_to_stop() -> None:
    """The kernel and the shell both tell of it, which is no second wish."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    try:
        with stopping() as stop:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGHUP)
                await asyncio.wait_for(stop.wait(), 5)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_who_is_to_outlive_its_terminal_does() -> None:
    """Under nohup SIGHUP is ignored, as before."""
    program = (
        "import asyncio, os, signal\n"
        "from igpipe.signals import stopping\n"
        "async def main():\n"
        "    with stopping() as stop:\n"
        "        os.kill(os.getpid(), signal.SIGHUP)\n"
        "        await asyncio.sleep(0.1)\n"
        "        assert not stop.is_set()\n"
        "asyncio.run(main())\n"
    )
    command = ["nohup", sys.executable, "-c", program]
    done = subprocess.run(command, check=False, timeout=15, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_the_second_signal_ends_the_process() -> None:
    """Who signals twice does not wait for a clean stop."""
    program = (
        "import asyncio, os, signal\n"
        "from igpipe.signals import stopping\n"
        "async def main():\n"
        "    with stopping() as stop:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        await stop.wait()\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=15)
    assert done.returncode == 128 + signal.SIGINT
