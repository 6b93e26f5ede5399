"""What dashboards show of a fleet, in a real Prometheus, against what really happened."""

import re
from collections.abc import Iterator
from functools import partial

import pytest

from grafana.dashboards.query import WINDOW as IN_WINDOW
from grafana.dashboards.query import select, share
from igpipe.config import Config
from igpipe.rules.recordings import rates
from igpipe.rules.times import times_of
from tests.contracts.grafana import FOLDER, interpolate, load, promql
from tests.metrics.observer import PERIOD
from tests.servers.fleet import EPOCH, SETTINGS, TIMES, WINDOW, Known, Shares, known
from tests.servers.grafana import resolve

pytestmark = pytest.mark.timeout(600)
GADGET = 'gadget="trace_exec"'


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """Give a Prometheus that scraped igpipe for twelve hours."""
    with known(tmp_path_factory.mktemp("fleet")) as found:
        yield found


def asked(fleet: Known, board: str, title: str, at: float, **chosen: str) -> str:
    """Write a panel's first query as Grafana would send it."""
    loaded = load(board)
    values = resolve(loaded, fleet.prometheus.url, EPOCH + at, chosen)
    return interpolate(next(q.expr for q in promql(loaded) if q.title == title), loaded, values)


def test_the_window_is_three_of_igpipes_periods(fleet: Known) -> None:
    """The variables that queries are made with come from what igpipe exports."""
    values = resolve(load("overview"), fleet.prometheus.url, EPOCH + TIMES[0])
    seconds = [values[name] for name in ("period", "window", "settled", "step")]
    assert seconds == ["1800", "5400", "9000", "450"]


def test_the_fleet_is_right(fleet: Known) -> None:
    """By namespace, the overview is within 5 % of the truth at all times, and not biased."""
    found = fleet.shares(
        asked(fleet, "overview", "Execs by namespace", TIMES[-1]), WINDOW, fleet.rate
    )
    assert found.least > 0.95
    assert found.most < 1.05
    assert found.mean == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("workload", SETTINGS.workloads)
def test_a_workload_is_right(fleet: Known, workload: str) -> None:
    """So is each workload that is there all the time."""
    query = asked(fleet, "overview", "Execs by workload", TIMES[-1], workload=workload)
    found = fleet.shares(query, WINDOW, partial(fleet.rate, workload=workload))
    assert found.least > 0.95
    assert found.most < 1.05


def test_recording_rules_are_right(fleet: Known) -> None:
    """What ``igpipe rules`` renders for that period is as right as the dashboards are."""
    config = Config.model_validate({"rotation": {"period": PERIOD}})
    rules = {rule.name: rule.expr for rule in rates(config, times_of(config))}
    found = fleet.shares(rules["namespace:igpipe_execs:rate"], WINDOW, fleet.rate)
    assert found.least > 0.95
    assert found.most < 1.05


def test_nodes_are_right_on_average(fleet: Known) -> None:
    """
    A node while it is looked at is as it always is, but for the luck of few looks.

    Some are blank: what a look told between the last scrape and a restart is missing.
    """
    shares, hours = [], 12 * PERIOD
    for node in fleet.fleet.nodes:
        chosen = {"node": node, "periods": "12", "by": "comm"}
        query = asked(fleet, "node", "Execs by the chosen labels", TIMES[-1], **chosen)
        truth = sum(p.count(TIMES[-1] - hours, TIMES[-1]) for p in fleet.fleet.pods[node]) / hours
        for sample in fleet.prometheus.vector(query, EPOCH + TIMES[-1]):
            shares.append(float(sample["value"][1]) / truth)
    assert len(shares) >= 0.9 * len(fleet.fleet.nodes)
    assert sum(shares) / len(shares) == pytest.approx(1, abs=0.05)
    assert all(0.7 < one < 1.3 for one in shares)


def test_panels_are_blank_until_estimates_have_settled(fleet: Known) -> None:
    """A panel has no number before it is right, and the reason is told at each moment."""
    query = asked(fleet, "overview", "Execs by namespace", TIMES[-1])
    reason = asked(fleet, "overview", "Why panels are blank", TIMES[-1])
    settled = WINDOW + 2 * PERIOD
    for at in (PERIOD, WINDOW, settled - PERIOD / 2):
        assert fleet.prometheus.vector(query, EPOCH + at) == []
        assert fleet.value(reason, at) == 1
    for at in TIMES:
        assert fleet.value(query, at) > 0
        assert fleet.value(reason, at) == 0


def documented() -> list[tuple[str, Shares]]:
    """Read what docs/metrics.md says of queries."""
    row = re.compile(r"\| `(\S.+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|")
    rows = row.findall((FOLDER.parent / "docs" / "metrics.md").read_text(encoding="utf-8"))
    return [(query, Shares(*map(float, shares))) for query, *shares in rows]


@pytest.mark.parametrize(("query", "said"), documented())
def test_the_docs_say_how_far_off_a_query_is(fleet: Known, query: str, said: Shares) -> None:
    """What to write, and what not to write, is as right or wrong as docs/metrics.md has it."""
    (minutes,) = re.findall(r"\[(\d+)m\]", query)
    found = fleet.shares(query, 60.0 * int(minutes), fleet.rate)
    assert tuple(found) == pytest.approx(tuple(said), abs=0.006)


def test_doubtful_numbers_are_shown_on_request(fleet: Known) -> None:
    """Whoever asks for it sees what is blank otherwise, and how far off it is."""
    query = asked(fleet, "overview", "Execs by namespace", TIMES[-1], doubtful="1")
    assert 0 < fleet.value(query, PERIOD) / fleet.rate(0, PERIOD) < 0.8


def test_represented_time_is_whole_where_all_is_well(fleet: Known) -> None:
    """The share of represented time is near 1, and steadier than the ratio of two increases."""
    board = load("coverage")
    values = resolve(board, fleet.prometheus.url, EPOCH + TIMES[-1])
    plain = (
        f"sum(increase({select('igpipe_represented_seconds_total')}[{IN_WINDOW}]))"
        f" / sum(increase({select('igpipe_node_seconds_total')}[{IN_WINDOW}]))"
    )
    whole = [fleet.value(interpolate(share(GADGET), board, values), at) for at in TIMES]
    rough = [fleet.value(interpolate(plain, board, values), at) for at in TIMES]
    assert all(0.95 < one < 1.05 for one in whole)
    assert max(abs(one - 1) for one in whole) < max(abs(one - 1) for one in rough)
