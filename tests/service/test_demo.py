"""The demo as a newcomer runs it, but short, and what it holds to account."""

import asyncio
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE

import pytest

from igpipe.sim.loki import FakeLoki


def _igpipe(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "igpipe", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.timeout(60)
async def test_some_seconds_of_it_balance_in_a_loki_of_one_s_own() -> None:
    """With --for it ends by itself; with --loki it holds that sink to account, too; exit 0."""
    arguments = ("demo", "--for", "3s", "--nodes", "3", "--rate", "10")
    async with FakeLoki() as loki:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "igpipe", *arguments, "--loki", loki.url, stdout=PIPE
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out
        assert b"The accounts balance, and nothing is left in the cluster." in out
        assert loki.stored > 0


@pytest.mark.timeout(60)
def test_an_interrupt_stops_in_order() -> None:
    """Ctrl-C ends sessions and drains, then the account is told; exit 0."""
    with _igpipe("demo", "--nodes", "3") as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        while "Ctrl-C" not in told:
            told += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=50)
    assert process.returncode == 0, out + err
    assert "http://127.0.0.1:" in told
    assert "The accounts balance, and nothing is left in the cluster." in out
