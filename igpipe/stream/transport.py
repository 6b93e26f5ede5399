"""What following a log needs of others: a log to open, a container to ask, an outlet to fill."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from igpipe.model import ContainerState, NodeCost, StreamItem


class LogReader(Protocol):
    """One open connection to a container's log."""

    async def read(self) -> bytes:
        """
        Wait for the next bytes; none at the log's end.

        Raises ClusterUnavailable when the connection breaks.
        """

    def set_low_water(self, size: int) -> None:
        """
        Wake the reader only when *size* bytes wait; 1: for every byte.

        Never raises: does nothing where it is not supported or the connection is closed.
        """


class LogSource(Protocol):
    """Where logs are opened: the API server."""

    def open_log(
        self, pod: str, container: str, *, since: float | None = None
    ) -> AbstractAsyncContextManager[LogReader]:
        """Open a log that is followed, from *since* (unix seconds) or from its start."""


class Container(Protocol):
    """A live view of the container whose log it is."""

    @property
    def pod(self) -> str:
        """The Pod's name."""

    @property
    def name(self) -> str:
        """The container's own name."""

    def state(self) -> ContainerState | None:
        """Tell its last known state; None before it was reported, and when the Pod is gone."""

    async def terminated(self) -> ContainerState | None:
        """Wait until it has ended; None when the Pod is gone."""


class Outlet(Protocol):
    """Where items go: a Port of the queue."""

    def offer(self, item: StreamItem) -> None:
        """Take the next item at once."""


class Reading(Protocol):
    """
    The seam between a log and what it carries: what makes items of one stream's bytes.

    It lives for the whole stream, over all connections: plain lines, or the tap's frames.
    """

    @property
    def cost(self) -> NodeCost | None:
        """What watching cost the node, once that was told; None where nobody tells."""

    @property
    def unfinished(self) -> bool:
        """Whether ig, which ended, should have said more: the log was not read to its end."""

    def reopen(self) -> float | None:
        """Expect a connection, to the log from the time returned on; None: from its start."""

    def feed(self, chunk: bytes, now: float) -> Iterable[StreamItem]:
        """Take the next bytes, which came at *now* (unix seconds), and give what they hold."""

    def finish(self, now: float) -> Iterable[StreamItem]:
        """Give what is left when the log has ended for good."""
