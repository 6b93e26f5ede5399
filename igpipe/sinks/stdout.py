"""Records on standard output, where a log agent of the cluster picks them up."""

import asyncio
import os
from collections.abc import Sequence
from typing import Final

from igpipe.config import StdoutSink
from igpipe.errors import SinkUnavailable
from igpipe.sinks.lines import LinePacker
from igpipe.sinks.ports import DELIVERED, Parcel, Verdict

WRITE_BYTES: Final = 2**18
"""How much is written at once, unless a single record is longer."""


class Stdout:
    """
    A descriptor that is open already, as Sink asks; delivered means handed to whoever reads it.

    A reader that stops reading makes writes wait; it holds up nobody else.
    """

    kind = "stdout"

    def __init__(self, config: StdoutSink, fd: int = 1) -> None:
        self.name = config.name
        self.request_bytes = WRITE_BYTES
        self.max_in_flight = 1
        self._fd = fd

    def packer(self, limit_bytes: int, now: float) -> LinePacker:
        """Begin a round; see Sink."""
        return LinePacker(limit_bytes)

    async def deliver(self, parcel: Parcel) -> Sequence[Verdict]:
        """Write the records; see Sink."""
        await asyncio.to_thread(self._write, parcel.body())
        return [DELIVERED] * len(parcel.items)

    async def probe(self) -> None:
        """Check that the descriptor is open; raises what ``deliver`` would."""
        self._write(b"")

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
            os.fstat(self._fd)
        except OSError as error:
            raise SinkUnavailable(str(error)) from None
