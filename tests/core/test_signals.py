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
