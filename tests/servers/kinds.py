"""What a test asks of a server, and the kinds of servers there are."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.servers.collector import Collector
from tests.servers.loki import Loki
from tests.servers.opensearch import OpenSearch
from tests.servers.process import Process
from tests.servers.records import Record


class Server(Protocol):
    """A server that keeps records, in a process of its own."""

    process: Process
    url: str
    once: bool
    """Whether it keeps a record once however often it is sent."""

    def sink(self, url: str) -> dict[str, Any]:
        """Return the sink's section of igpipe's configuration, for the server behind *url*."""
        ...

    def prepare(self) -> None:
        """Set up what it needs, once after its first start."""
        ...

    def stored(self, cluster: str) -> Counter[Record]:
        """Ask the server for every record of *cluster*, and how often it has each."""
        ...


KINDS: Mapping[str, Callable[[Path], Server]] = {
    "loki": Loki,
    "opensearch": OpenSearch,
    "otlp": Collector,
}
"""Each prepares a server with its data in a folder."""
