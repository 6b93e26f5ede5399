"""Cases of the alerts on how much igpipe sees."""

from collections.abc import Iterator

from igpipe.rules import Times
from tests.servers.alertcases.case import GADGET, ME, Case, flat, minutes, near, own, rise, turned

_PAIR = 'node="n",gadget="g"'
_LOOKED = "igpipe_last_look_timestamp_seconds"


def _blind_spot(t: Times, _: str) -> Iterator[Case]:
    period = {own("igpipe_period_seconds", 'gadget="g"'): flat(t.period)}
    looked, name, labels = own(_LOOKED, _PAIR), "IgpipeBlindSpot", {**GADGET, "node": "n"}
    late = minutes(3 * t.period) + 17
    yield Case(name, {looked: flat(0), **period}, late, labels)
    yield near(name, {looked: rise(60, -2.9 * t.period), **period}, late)
    # Another process has seen it, before this one took over.
    yield near(name, {looked: flat(0), own(_LOOKED, _PAIR, "b"): rise(60), **period}, late)
    never = {own("igpipe_node_seconds_total", 'node="n"'): rise(60), **period}
    never |= {own("igpipe_looks_total", _PAIR): flat(0)}
    yield Case(name, never, late, labels)
    yield near(name, never, minutes(2.9 * t.period))
    yield near(name, {**never, looked: rise(60)}, late)


def _represented(t: Times, _: str) -> Iterator[Case]:
    name, after = "IgpipeRepresentedTimeLow", minutes(t.started + t.sawtooth) + 3
    scope, represented = 'node="n"', own("igpipe_represented_seconds_total", _PAIR)
    known = {own("igpipe_node_seconds_total", scope): rise(60)}
    known |= {own("igpipe_lease_held", 'lease="s/l"'): flat(1)}
    waiting = {own("igpipe_node_seconds_total", scope, "b"): rise(60)}
    waiting |= {own("igpipe_lease_held", 'lease="s/l"', "b"): flat(0)}
    yield Case(name, {**known, represented: rise(48)}, after, GADGET)
    yield near(name, {**known, represented: rise(48)}, minutes(t.started))
    yield near(name, {**known, represented: rise(56)}, after)
    yield near(name, {**known, **waiting, represented: rise(56)}, after)


def _period(t: Times, _: str) -> Iterator[Case]:
    name, after = "IgpipePeriodNotKept", minutes(t.patience) + 2
    kept, slots = own("igpipe_period_kept"), own("igpipe_slots")
    yield Case(name, {kept: flat(0), slots: flat(10)}, after, ME)
    yield near(name, {kept: flat(1), slots: flat(10)}, after)
    yield near(name, {kept: flat(0), slots: flat(0)}, after)


def _nodes(_: Times, __: str) -> Iterator[Case]:
    name, eligible = "IgpipeNoNodes", own("igpipe_nodes", 'state="eligible"')
    yield Case(name, {eligible: flat(0)}, 17, {**ME, "state": "eligible"})
    yield near(name, {eligible: flat(1)}, 17)
    yield near(name, {own("igpipe_nodes", 'state="cordoned"'): flat(0)}, 17)


def _paused(t: Times, _: str) -> Iterator[Case]:
    name, after = "IgpipePaused", minutes(t.sessions + t.patience) + 2
    manual, hurt = own("igpipe_paused_by", 'cause="manual"'), "IgpipePausedForNodes"
    lately = after - minutes(t.sessions * 0.7)
    yield Case(name, {manual: flat(1)}, after, {**ME, "cause": "manual"})
    yield near(name, {manual: turned(0, lately, 1)}, after)

    not_ready = own("igpipe_paused_by", 'cause="not_ready"')
    yield Case(hurt, {not_ready: flat(1)}, 1, {**ME, "cause": "not_ready"})
    yield near(hurt, {not_ready: flat(0), manual: flat(1)}, 1)


VIEW = (_blind_spot, _represented, _period, _nodes, _paused)
