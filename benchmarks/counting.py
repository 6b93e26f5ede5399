"""The part of a stream's pipeline that decodes and counts, and nothing else."""

import io

from igpipe.decode import LineDecoder
from igpipe.metrics import Look
from igpipe.model import Event, LineAccount


def counting(gadget: str, look: Look) -> LineDecoder:
    """Make a decoder that counts into *look*, which has numbers beside, as the pipeline does."""
    account = LineAccount()

    def count(event: Event, _line: bytes | None) -> None:
        look.observe(event)

    def take(lines: io.BytesIO) -> bytes | None:
        if look.read is None:
            return next(lines, None)
        tags: list[bytes] = []
        unlike = look.read(lines, tags, [], [])
        account.count(len(tags))
        return unlike

    decoder = LineDecoder(gadget, count, account, line_limit=1 << 20, array_limit=1 << 24)
    decoder.take = take
    return decoder
