"""How many seconds a gadget provably observed its node. Pure."""

from igpipe.model import End, EndKind


class Exposure:
    """
    The proven exposure of one stream; all times in unix seconds of one clock.

    It runs from the readiness marker (or the first event: a gadget that reports observes) up to
    the arrival of the last line. Silence earns nothing until a next line, an exact resume or a
    clean exit, which settles it to exactly *timeout* less the gaps. Built-in gadgets have no
    marker and their own log proves nothing: first to last event. ``proven`` never decreases and
    never runs ahead of *timeout*: a slow log does not make a session longer.

    Where the tap tells what the node's own clock proves, silence included, arrivals prove nothing.
    """

    def __init__(self, timeout: float, *, builtin: bool = False) -> None:
        self.proven = 0.0
        self._timeout = timeout
        self._builtin = builtin
        self._until: float | None = None  # proven up to here; None: not ready yet
        self._running = 0.0
        self._gaps = 0.0
        self._measured = False

    def ready(self, at: float) -> None:
        """Note that the gadget said that it observes; only the first time counts."""
        if self._until is None:
            self._until = at
            self._gaps = 0.0  # what was missed before it began is no loss

    def lines(self, at: float, *, events: bool = True) -> None:
        """Note that lines arrived; *events* tells whether there was an event among them."""
        if events:
            self.ready(at)
        if events or not self._builtin:
            self._credit(at)

    def gap(self, since: float, until: float) -> None:
        """Take the time between *since* and *until* out: lines of it are missing."""
        begin = since if self._until is None else max(since, self._until)
        self._gaps += max(0.0, until - begin)
        if self._until is not None:
            self._until = max(self._until, until)

    def resumed(self, until: float) -> None:
        """Note that the log was read on exactly where it broke off, and has been until now."""
        if not self._builtin:
            self._credit(until)

    def observed(self, seconds: float) -> None:
        """Take what the node measured, in all, without the time of lines that are missing."""
        self._measured = True
        self._running = max(self._running, seconds)
        self._settle()

    def end(self, end: End) -> None:
        """Note how the stream ended; nothing may follow."""
        if end.kind is EndKind.CLEAN:
            self._running = max(self._running, self._timeout)
            self._settle()

    def _credit(self, at: float) -> None:
        if self._until is not None and at > self._until:
            if not self._measured:
                self._running += at - self._until
                self._settle()
            self._until = at

    def _settle(self) -> None:
        self.proven = max(self.proven, min(self._running, self._timeout - self._gaps))
