"""Dead letters sent again: what arrives is forgotten, all else stays."""

from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from igpipe.config import DeadLettersConfig
from igpipe.sinks import replay_letters
from igpipe.sinks.letterfile import Letter, LetterFile
from igpipe.sinks.ports import dead_letter
from tests.sinks.samples import DNS, EXEC, loki_config, plain_seqs, record
from tests.sinks.test_http import serving


def letters_in(directory: Path, *records: bytes) -> LetterFile:
    """Keep *records* as dead letters."""
    file = LetterFile(DeadLettersConfig(directory=directory), directory, "loki")
    file.append([Letter("loki", 1.0, dead_letter("rejected", "old"), each) for each in records])
    return file


def kept(file: LetterFile) -> list[tuple[int, str]]:
    """Tell which letters are there, and why."""
    lines = map(orjson.loads, file.read())
    return [(line["record"]["seq"], line["error"]) for line in lines]


async def resend(file: LetterFile, *statuses: int, within: float = 10.0, **config: Any) -> Any:
    """Replay to a Loki that answers by *statuses*, then 204; return what it got, and the result."""
    got: list[int] = []
    script = list(statuses)

    async def handler(request: web.Request) -> web.Response:
        status = script.pop(0) if script else 204
        if status == 204:
            got.extend(plain_seqs(await request.read()))
        return web.Response(status=status, text="" if status == 204 else "no")

    async with serving(handler) as url:
        settings = loki_config(url=url, backoff_initial="1ms", **config)
        return got, await replay_letters(settings, file, within)


async def test_what_arrives_is_forgotten(tmp_path: Path) -> None:
    """Of whichever streams; after a passing failure, too."""
    file = letters_in(tmp_path, record(0), record(1, source=DNS), record(2, source=EXEC))
    got, result = await resend(file, 503)
    assert sorted(got) == [0, 1, 2]
    assert (result.sent, result.left, kept(file)) == (3, 0, [])


async def test_what_is_refused_again_is_a_letter_anew(tmp_path: Path) -> None:
    """With what the sink says now."""
    file = letters_in(tmp_path, record(0), record(1, source=DNS))
    got, result = await resend(file, 260, max_in_flight=1)
    assert (len(got), result.sent, result.left) == (1, 1, 1)
    ((seq, error),) = kept(file)
    assert (seq in got, error) == (False, "260 no")


async def test_what_cannot_be_sent_stays_as_it_was(tmp_path: Path) -> None:
    """A sink that is out of order takes nothing and loses nothing."""
    file = letters_in(tmp_path, record(0), record(1))
    _, result = await resend(file, *[401] * 50, within=0.5)
    assert (result.sent, result.left, result.error) == (0, 2, "401 no")
    assert kept(file) == [(0, "old"), (1, "old")]


async def test_what_cannot_be_read_stays_as_it_was(tmp_path: Path) -> None:
    """Somebody may repair it."""
    file = letters_in(tmp_path, record(0))
    with (tmp_path / "loki.ndjson").open("ab") as out:
        out.write(b"edited\n")
    _, result = await resend(file)
    assert (result.sent, result.left) == (1, 1)
    assert list(file.read()) == [b"edited\n"]
