"""Cases of the alerts on sinks and the spool."""

from collections.abc import Iterator

from igpipe.rules import Times
from tests.servers.alertcases.case import ME, Case, flat, near, own, rise

_LAG = own("igpipe_sink_lag_seconds", 'sink="s"')
_SINK = {**ME, "sink": "s"}


def _lagging(t: Times, _: str) -> Iterator[Case]:
    yield Case("IgpipeSinkLagging", {_LAG: flat(t.lag + 1)}, 7, _SINK)
    yield near("IgpipeSinkLagging", {_LAG: flat(t.lag)}, 7)


def _held(_: Times, __: str) -> Iterator[Case]:
    name, held = "IgpipeSinkHeld", own("igpipe_condition_fine", 'condition="sink s"')
    yield Case(name, {held: flat(0)}, 7, {**ME, "condition": "sink s"})
    yield near(name, {held: flat(1)}, 7)
    yield near(name, {own("igpipe_condition_fine", 'condition="lease"'): flat(0)}, 7)


def _lost(_: Times, __: str) -> Iterator[Case]:
    letters, lost = "IgpipeDeadLetters", "IgpipeRecordsLost"
    labels, once = {"job": "igpipe", "sink": "s"}, "0 0 1 1"
    yield Case(letters, {_records("dead_lettered"): once}, 3, labels)
    yield near(letters, {_records("dead_lettered"): flat(1), _records("delivered"): rise(9)}, 3)
    yield Case(lost, {_records("evicted"): once}, 3, {**labels, "outcome": "evicted"})
    yield Case(lost, {_records("expired"): once}, 3, {**labels, "outcome": "expired"})
    yield near(lost, {_records("evicted"): flat(1), _records("duplicate"): rise(9)}, 3)


def _full(t: Times, _: str) -> Iterator[Case]:
    name, size = "IgpipeSpoolNearlyFull", own("igpipe_spool_bytes")
    room = {own("igpipe_spool_capacity_bytes"): flat(100)}
    yield Case(name, {size: flat(81), **room}, 7, ME)
    yield near(name, {size: flat(80), **room}, 7)
    yield Case(name, {_LAG: flat(t.age + 1)}, 7, _SINK)
    yield near(name, {_LAG: flat(t.age)}, 7)


def _disk(_: Times, __: str) -> Iterator[Case]:
    name, damaged = "IgpipeSpoolNotOnDisk", "IgpipeSpoolDamaged"
    disk, wanted = own("igpipe_spool_on_disk"), own("igpipe_spool_has_directory")
    yield Case(name, {disk: flat(0), wanted: flat(1)}, 7, ME)
    yield near(name, {disk: flat(1), wanted: flat(1)}, 7)
    yield near(name, {disk: flat(0), wanted: flat(0)}, 7)
    corrupt = own("igpipe_spool_corrupt_records_total")
    yield Case(damaged, {corrupt: flat(3)}, 1, ME)
    yield near(damaged, {corrupt: flat(0)}, 1)


def _records(outcome: str) -> str:
    return own("igpipe_sink_records_total", f'sink="s",outcome="{outcome}"')


DELIVERY = (_lagging, _held, _lost, _full, _disk)
