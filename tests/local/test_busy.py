"""Probes are answered while everything that one core can do is asked of it."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout

LINE = '{"comm":"sh","proc":{"comm":"cat","pid":7},"args":"cat /etc/hosts"}'
PROBES = 3
# A kubelet waits for one second; how fast this machine is must not decide whether a test passes.
PATIENCE = ClientTimeout(total=10)


@asynccontextmanager
async def flooded(folder: Path) -> AsyncIterator[str]:
    """Run igpipe on a stream that never stops and never waits; yields its address."""
    config = folder / "igpipe.yaml"
    config.write_text("web: {port: 0}\nlimits: {queue: 1MiB, stream_queue: 1MiB}\n")
    output, into = os.pipe()
    flood = await asyncio.create_subprocess_exec("yes", LINE, stdout=into)
    os.close(into)
    igpipe = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "igpipe", "run", "--source", "-", "--gadget", "trace_exec",
        "-c", str(config), stdin=output, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(output)
    assert igpipe.stderr is not None
    try:
        address = None
        while address is None:
            address = re.search(rb"address=(\S+)", await igpipe.stderr.readline())
        yield address[1].decode()
    finally:
        flood.kill()
        igpipe.kill()
        await flood.wait()
        await igpipe.communicate()


async def test_probes_are_answered_while_lines_are_dropped(tmp_path: Path) -> None:
    """More comes than can be decoded, which the queue sheds; each probe gets its turn."""
    async with flooded(tmp_path) as address, ClientSession(address, timeout=PATIENCE) as http:
        for _ in range(PROBES):
            for path in ("/healthz", "/readyz", "/"):
                async with http.get(path) as answer:
                    assert answer.status == 200
        async with http.get("/api/v1/status") as answer:
            accounts = (await answer.json())["accounts"]
        assert accounts["dropped"] > 0
        assert accounts["events"] > 0
        assert accounts["balanced"]
