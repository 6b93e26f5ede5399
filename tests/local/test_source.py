"""Streams that are there already: files, pipes and standard input, read to their end."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from igpipe.config import Config
from igpipe.errors import InputError
from igpipe.replay import Replay
from igpipe.source_service import Source, reading
from igpipe.status import Parts, ServiceViews
from igpipe.tape import Tape
from tests import virtual
from tests.cli.typed import typed
from tests.local import rig
from tests.service.world import FakeLoki, LokiConfig, wall

DATA = Path(__file__).parents[1] / "data" / "ig"
RECORDING = DATA / "v0.54.0" / "trace_exec.log.gz"
LINE = b'{"comm":"sh","proc":{"comm":"cat","pid":7},"args":"cat /etc/hosts"}\n'


@asynccontextmanager
async def played(source: Source, config: Config) -> AsyncIterator[tuple[Parts, Tape]]:
    """Read *source*; the block begins when it has been read to its end."""
    ended = asyncio.Event()
    async with reading(config, source, ended.set, wall()) as (_, parts, tape):
        await ended.wait()
        yield parts, tape


@pytest.mark.parametrize(
    "name",
    ["v0.54.0/trace_exec.log.gz", "v0.54.0/snapshot_socket.log.gz", "v0.30.0/trace_open.log.gz"],
)
def test_a_file_is_read_as_replay_reads_it(name: str) -> None:
    """A recording has the same account as in a replay; nothing is dropped, all is offered."""

    async def main() -> None:
        path = str(DATA / name)
        replay = Replay(rig.config())
        replay.read(path)
        async with played(Source(path), rig.config()) as (parts, tape):
            status = ServiceViews(parts).status()
            total = parts.pump.totals()[tape.gadget]
        assert total.account == replay.total()
        assert total.offered.total() == total.account.events
        assert status["accounts"]["balanced"]
        assert not tape.fault

    virtual.run(main())


def test_a_live_stream_is_cut_into_sessions_without_loss() -> None:
    """Looks are committed every session.duration; a line may lie across their border."""

    async def main() -> None:
        output, into = os.pipe()
        config = rig.config(session={"duration": 5})
        ended = asyncio.Event()
        source = Source(f"/dev/fd/{output}", "trace_exec", "n1")
        async with reading(config, source, ended.set, wall()) as (_, parts, tape):
            os.close(output)
            for _ in range(40):
                os.write(into, LINE + LINE[:20])
                await asyncio.sleep(0.3)
                os.write(into, LINE[20:])
                await asyncio.sleep(0.2)
            assert len(tape.sessions) == 1
            os.write(into, LINE[:20])  # the last line lacks its newline and its end
            os.close(into)
            await ended.wait()
            account = parts.pump.totals()["trace_exec"].account
            text = b"".join(parts.metrics.write(parts.wall())).decode()
        assert account.lines == 81
        assert account.events == 80
        assert account.rejected == {"json": 1}
        assert len(tape.history) == 5
        assert 15 <= tape.exposure <= 20
        assert (
            'igpipe_looks_total{gadget="trace_exec",node="n1"} 5' in text or "igpipe_looks" in text
        )

    virtual.run(main())


def test_a_sink_that_is_down_holds_nothing_up() -> None:
    """All is read while a sink takes nothing; its account tells what it did not get."""

    async def main() -> None:
        async with FakeLoki(LokiConfig(fail=1.0)) as loki:
            sink = {"type": "loki", "name": "loki", "url": loki.url, "backoff_max": 1}
            config = rig.config(sinks=[sink])
            async with played(Source(str(RECORDING)), config) as (parts, _):
                account = parts.pump.totals()["trace_exec"].account
            delivered = parts.sinks[0].account
        assert account.balanced()
        assert not account.dropped
        assert delivered.balanced()
        assert delivered.forwarded == account.events
        assert delivered.delivered == 0

    virtual.run(main())


def test_what_is_damaged_counts_up_to_the_damage(tmp_path: Path) -> None:
    """A cut gzip file is a fault that is told, after what could be read."""
    cut = tmp_path / "trace_exec.log.gz"
    cut.write_bytes(RECORDING.read_bytes()[:-1000])

    async def main() -> None:
        async with played(Source(str(cut)), rig.config()) as (parts, tape):
            assert "ends in the middle" in tape.fault
            assert parts.pump.totals()["trace_exec"].account.events > 0

    virtual.run(main())


@pytest.mark.parametrize(
    ("path", "gadget", "told"),
    [
        ("/nowhere/trace_exec.log", "", "No such file"),
        ("/", "trace_exec", "Is a directory"),
        ("-", "", "nothing tells the gadget; give --gadget with one of"),
        ("-", "trace_nothing", "no such gadget"),
    ],
)
def test_what_cannot_be_read_is_told(path: str, gadget: str, told: str) -> None:
    """Each kind of unusable source is an error that says what is wrong."""

    async def main() -> None:
        with pytest.raises(InputError, match=told):
            async with reading(rig.config(), Source(path, gadget), lambda: None):
                pass

    virtual.run(main())


def test_the_page_of_a_source_cannot_pause_it(tmp_path: Path) -> None:
    """Pause and resume do nothing: who prints the stream would be held up."""
    path = tmp_path / "trace_exec.json"
    path.write_bytes(LINE)

    async def main() -> None:
        async with played(Source(str(path)), rig.config()) as (parts, tape):
            views = ServiceViews(parts)
            views.pause()
            assert not views.status()["paused"]
            views.resume()
            await tape.idle()
            assert views.sessions()[0]["node"] == os.uname().nodename

    virtual.run(main())


def _config(tmp_path: Path) -> str:
    path = tmp_path / "igpipe.yaml"
    path.write_text("web: {port: 0}\nlog: {level: error}\n")
    return str(path)


def test_run_source_tells_what_was_read(tmp_path: Path) -> None:
    """The command ends with the source, with a summary whose numbers add up, and exit 0."""
    done = typed("run", "--source", str(RECORDING), "-c", _config(tmp_path))
    assert done.exit_code == 0, done.output
    assert f"{RECORDING}: trace_exec: 2677 lines = " in done.stderr


def test_run_source_fails_for_damage(tmp_path: Path) -> None:
    """What could not be read to its end is exit 1, after the summary."""
    cut = tmp_path / "trace_exec.log.gz"
    cut.write_bytes(RECORDING.read_bytes()[:-1000])
    done = typed("run", "--source", str(cut), "-c", _config(tmp_path))
    assert done.exit_code == 1
    assert "error: " in done.stderr


@pytest.mark.parametrize(
    "words", [("--local", "--source", "-"), ("--gadget", "trace_exec"), ("--local", "--node", "n")]
)
def test_options_that_do_not_go_together_are_refused(words: tuple[str, ...]) -> None:
    """A wrong combination is a usage error."""
    assert typed("run", *words).exit_code == 2


async def _lines(web: ClientSession, address: str) -> int:
    async with web.get(f"{address}/api/v1/status") as answer:
        return int((await answer.json())["accounts"]["lines"])


async def test_standard_input_is_read_until_a_signal(tmp_path: Path) -> None:
    """An endless stream on standard input ends with SIGTERM: all that came is told, exit 0."""
    command: list[Any] = ["-m", "igpipe", "run", "--source", "-", "--gadget", "trace_exec"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        "-c",
        _config(tmp_path),
        env={**os.environ, "IGPIPE_LOG_LEVEL": "info"},
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(LINE * 1000)
    address = None
    while address is None:
        address = re.search(rb"address=(\S+)", await process.stderr.readline())
    async with ClientSession() as web:
        while await _lines(web, address[1].decode()) < 1000:
            pass
    process.send_signal(signal.SIGTERM)
    told = await process.stderr.read()
    assert await process.wait() == 0
    process.stdin.close()
    assert b"-: trace_exec: 1000 lines = 1000 with events" in told
