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
def test_demo_balances_and_exits_0() -> None:
    """A demo of some seconds ends by itself with balanced accounts."""
    with _igpipe("demo", "--for", "3s", "--nodes", "3", "--rate", "10") as process:
        out, err = process.communicate(timeout=50)
    assert process.returncode == 0, out + err
    assert "http://127.0.0.1:" in out
    assert "The accounts balance, and nothing is left in the cluster." in out


@pytest.mark.timeout(60)
async def test_a_loki_of_one_s_own_gets_every_record() -> None:
    """With --loki the records go there, too, and the demo holds that sink to account."""
    arguments = ("demo", "--for", "3s", "--nodes", "2", "--rate", "10")
    async with FakeLoki() as loki:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "igpipe", *arguments, "--loki", loki.url, stdout=PIPE
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out
        assert loki.stored > 0


@pytest.mark.timeout(60)
def test_an_interrupt_stops_in_order() -> None:
    """Ctrl-C ends sessions and drains, then the account is told; exit 0."""
    with _igpipe("demo", "--nodes", "3") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        while "Ctrl-C" not in line:
            line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=50)
    assert process.returncode == 0, out + err
    assert "The accounts balance" in out
