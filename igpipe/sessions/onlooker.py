"""Tell somebody who watches a look what happens in it, line by line."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import orjson

from igpipe.sessions.order import Order, Standing

_CHUNK: Final = 2**16
_TICK_SECONDS: Final = 1.0
"""How often the state is looked at; events are told at once."""
_SILENCE: Final = 15
"""After so many ticks without anything a blank line: who is gone is found out by it."""


async def watch(order: Order, missed: Callable[[int], None]) -> AsyncIterator[bytes]:
    """
    Yield NDJSON to the end of *order*.

    A line is a record (it has ``event``), ``{"missed": n}`` where the reader was too slow for n
    lines, or ``{"look": …}`` when the state of a node changed, and at the end; blank ones mean
    nothing. Of what was before, a reader gets as much as is kept. *missed* counts lines.
    """
    cursor, told, quiet = 0, None, 0
    while True:
        state = [(p.standing, p.session and p.session.state) for p in order.places.values()]
        over = order.standing is Standing.ENDED
        piece = order.feed.read(cursor, _CHUNK)
        cursor = piece.cursor
        if piece.missed:
            missed(piece.missed)
            yield _line({"missed": piece.missed})
        if piece.data:
            yield piece.data
        elif over:
            yield _line({"look": order.as_dict()})
            return
        elif state != told:
            told = state
            yield _line({"look": order.as_dict()})
        elif quiet >= _SILENCE:
            yield b"\n"
        else:
            quiet += 1
            await order.feed.change.wait(_TICK_SECONDS)
            continue
        quiet = 0


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
