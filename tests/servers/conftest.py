"""
The servers of a test session: each is started when a test first asks for it.

Tests here wait more than they compute, so several processes share them; each test is with its
server, so that there is one of each.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.servers.kinds import KINDS, Server
from tests.servers.process import started
from tests.sharing import ByNeed

_NEEDS: Final = {
    "test_loki": "loki",
    "test_dashboards": "loki",
    "test_opensearch": "opensearch",
    "test_collector": "otlp",
    "test_prometheus": "otlp",
    "test_web": "otlp",
}
"""The server of a module's tests; the others have one in their name, or keep to their module."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByNeed:
    """Give each process its tests."""
    return ByNeed(config, log, _need)


def _need(test: str) -> str:
    path, _, name = test.partition("::")
    module = Path(path).stem
    if module == "test_delivery":
        return next(kind for kind in KINDS if kind in name)
    return _NEEDS.get(module, module)


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
