"""The servers of a test session: each is started when a test first asks for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.servers.kinds import KINDS, Server
from tests.servers.process import started


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Give the server of a kind; all of a session's tests share it."""
    there: dict[str, Server] = {}
    with ExitStack() as stack:

        def get(kind: str) -> Server:
            if kind not in there:
                server = KINDS[kind](tmp_path_factory.mktemp(kind))
                there[kind] = stack.enter_context(started(server))
                server.prepare()
            return there[kind]

        yield get
