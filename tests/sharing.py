"""
Which process of pytest-xdist runs which tests, where processes keep something costly running.

By the tests' names: pytest 9.2 takes no notice of the groups that pytest-xdist 3.8 gives by marks.
"""

from collections.abc import Callable
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


class ByNeed(LoadScopeScheduling):
    """Keeps those tests in one process for which *need* (of a test's id) is the same."""

    def __init__(self, config: pytest.Config, log: Any, need: Callable[[str], str]) -> None:
        super().__init__(config, log)
        self._need = need

    def _split_scope(self, nodeid: str) -> str:
        return self._need(nodeid)
