"""The rota of a host that is looked at all the time."""

from igpipe.config import RotationConfig
from igpipe.model import Node
from igpipe.sessions.rota import Rota


def rota(**fields: float) -> Rota:
    """Make the rota of one host."""
    config = RotationConfig.model_validate({"period": 120.0, "cooldown": 0.0, **fields})
    return Rota(config, session_seconds=125, seed=1, continuous=True)


def test_the_next_look_follows_at_once() -> None:
    """Released, a node is due; it has the one slot, and no period is missed."""
    host, order = Node("host"), rota()
    order.update([host], 0.0)
    for now in (0.0, 121.0, 242.0, 900.0):
        assert order.acquire(now) is host
        assert order.acquire(now) is None
        order.release(host, failed=False, now=now + 120.5)
        assert order.next_due(now + 120.5) == now + 120.5
    assert order.slots == order.needed == 1
    assert order.keeps_period


def test_failures_are_followed_by_a_rest() -> None:
    """A failed look is followed by its backoff, which doubles."""
    host, order = Node("host"), rota(failure_backoff=10.0)
    order.update([host], 0.0)
    now = 0.0
    for rest in (10.0, 20.0, 40.0):
        assert order.acquire(now) is host
        order.release(host, failed=True, now=now + 1)
        assert order.acquire(now + 1) is None
        now = order.next_due(now + 1) or 0.0
        assert now - rest >= 1
