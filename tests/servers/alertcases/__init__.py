"""For every alert: series that make it fire, and near misses that do not."""

from collections.abc import Iterator
from itertools import chain

from igpipe.rules import Times
from tests.servers.alertcases.case import Case, shortened
from tests.servers.alertcases.delivery import DELIVERY
from tests.servers.alertcases.loss import LOSS
from tests.servers.alertcases.process import PROCESS
from tests.servers.alertcases.sessions import SESSIONS
from tests.servers.alertcases.view import VIEW

__all__ = ["Case", "cases", "shortened"]


def cases(times: Times, namespace: str) -> Iterator[Case]:
    """Make the cases for rules with such *times*, and sessions in *namespace*."""
    makers = chain(VIEW, SESSIONS, LOSS, DELIVERY, PROCESS)
    return chain.from_iterable(make(times, namespace) for make in makers)
