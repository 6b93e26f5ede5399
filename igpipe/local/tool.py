"""Find ig on this host, and how to tie its life to igpipe's."""

import asyncio
import logging
import os
import shutil
from collections.abc import Mapping
from typing import Final

from igpipe.errors import InputError
from igpipe.text import safe

log = logging.getLogger(__name__)

_ANSWER_SECONDS: Final = 20.0
_TIE: Final = ("--pdeathsig", "KILL", "--")


async def find_ig(environ: Mapping[str, str], uid: int) -> tuple[str, ...]:
    """
    Return the words before ig's arguments, for a process of user *uid*.

    Where ``setpriv`` is there they make the kernel kill ig when igpipe dies, however it dies: the
    thread that starts a process would have to say so between fork and exec, which Python cannot
    do safely. Without it ig ends by its ``--timeout``, or at its next line for want of a reader.
    Raises InputError if ig cannot be run.
    """
    ig = shutil.which("ig", path=environ.get("PATH"))
    if ig is None:
        raise InputError("ig is not in $PATH; it is a release of Inspektor Gadget, one file")
    if uid != 0:
        raise InputError("ig must run as root: run igpipe as root for --local")
    setpriv = shutil.which("setpriv", path=environ.get("PATH"))
    if setpriv is not None:
        tied = (setpriv, *_TIE, ig)
        if await _works(tied):
            return tied
    log.warning("no setpriv: killed, igpipe leaves ig running up to its --timeout")
    if not await _works((ig,)):
        raise InputError(f"{ig} does not run: `ig version` fails")
    return (ig,)


async def _works(words: tuple[str, ...]) -> bool:
    """Tell whether ``ig version`` succeeds, started with *words*."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            "version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            answer, _ = await process.communicate()
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    fields = {"command": " ".join(words), "version": safe(answer.decode(errors="replace").strip())}
    log.info("found ig", extra=fields)
    return process.returncode == 0


def environment() -> dict[str, str]:
    """Return what ig gets of igpipe's environment: nothing of igpipe's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("IGPIPE_")}
