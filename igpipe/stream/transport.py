"""What following a log needs of others: a log to open, a container to ask, an outlet to fill."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from igpipe.model import ContainerState, StreamItem


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
