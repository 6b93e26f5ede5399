"""Cut a byte stream into whole lines, however it was chunked. Pure."""


class LineCutter:
    """
    Cuts at the last newline and keeps the rest, so a chunk of many lines stays one object.

    A line of more than *limit* bytes (newline not counted) is dropped whole and counted once in
    ``oversized``, with all its bytes in ``oversized_bytes``. At most *limit* bytes are kept
    between chunks.
    """

    def __init__(self, limit: int) -> None:
        self.oversized = 0
        self.oversized_bytes = 0
        self._limit = limit
        self._rest = bytearray()  # not bytes: a long line in many chunks must not cost n²
        self._skipped = 0  # bytes so far of an oversized line that has not ended yet

    @property
    def kept(self) -> int:
        """Bytes of the line that has not ended yet."""
        return len(self._rest)

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes and return the lines that are whole now; often the chunk itself."""
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._keep(chunk)
            return b""
        lines = self._join(chunk if cut == len(chunk) else chunk[:cut])
        if cut < len(chunk):
            self._keep(chunk[cut:])
        return lines

    def finish(self) -> bytes:
        """Return the last line, with the newline that it lacked, if the stream ended without."""
        if self._skipped:
            self._end_skipping(0)
        return self.feed(b"\n") if self._rest else b""

    def _keep(self, part: bytes) -> None:
        if not self._skipped and len(self._rest) + len(part) <= self._limit:
            self._rest += part
            return
        self._skipped += len(self._rest) + len(part)
        self._rest.clear()

    def _join(self, lines: bytes) -> bytes:
        """Put the rest before *lines*, which end in a newline, and drop what is too long."""
        if self._skipped:
            first = lines.find(b"\n") + 1
            self._end_skipping(first)
            lines = lines[first:]
        elif self._rest:
            lines = b"".join((self._rest, lines))
            self._rest.clear()
        if len(lines) <= self._limit:  # the usual case: no line in it can be too long
            return lines
        return b"".join(line for line in lines_of(lines) if self._allows(line))

    def _allows(self, line: bytes) -> bool:
        if len(line) - 1 <= self._limit:
            return True
        self.oversized += 1
        self.oversized_bytes += len(line)
        return False

    def _end_skipping(self, more: int) -> None:
        self.oversized += 1
        self.oversized_bytes += self._skipped + more
        self._skipped = 0


def lines_of(data: bytes) -> list[bytes]:
    """Split at newlines only and keep them (``splitlines`` would also split at a lone CR)."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]
