"""
igpipe with every gadget on a simulated cluster where things go wrong, scraped and delivered.

When it has ended, a real Prometheus and a real Loki are asked what dashboards ask, of its last
moment.
"""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError

from igpipe.gadgets import GADGETS
from igpipe.sim import Faults, SimCluster, SimConfig
from tests.contracts.grafana import Asked, Json, interpolate
from tests.servers.grafana import offered, resolve
from tests.servers.http import get_json
from tests.servers.loki import Loki
from tests.servers.process import started
from tests.servers.prometheus import Prometheus
from tests.service.world import config, running

PERIOD: Final = 12
PLAYED: Final = 13 * PERIOD
"""Six periods of a window, two until it has settled, one to look back, and four to spare."""
SHOWN: Final = 60
SCRAPE: Final = 3
FAULTS: Final = Faults(
    api_429=0.01, api_500=0.01, watch_drop=0.3, watch_gone=0.2, image_pull=0.02, rejected=0.02,
    stream_cut=0.03, lost_samples=0.01, malformed=0.002, recovery=4.0,
)  # fmt: skip
_RANGES: Final = {"__rate_interval": f"{4 * SCRAPE}s", "__range": f"{SHOWN}s", "__auto": "30s"}


class Refused(NamedTuple):
    """A server's answer to what it does not understand."""

    why: str


class Demonstration(NamedTuple):
    """What is left to be asked, of the moment *at* (unix seconds)."""

    prometheus: Prometheus
    loki: Loki
    at: float

    def answer(self, asked: Asked, board: Json) -> bool | Refused:
        """Tell whether there is an answer: for one node, or for one workload, at least."""
        try:
            return any(
                self._asked(asked, interpolate(asked.expr, board, values))
                for values in self._choices(board)
            )
        except HTTPError as error:
            return Refused(" ".join(error.__notes__))

    def offered(self, board: Json, variable: Json) -> list[str]:
        """Ask for what a variable offers, whatever was chosen before."""
        query = variable["query"]
        if variable["datasource"]["type"] == "loki":
            url = f"{self.loki.url}/loki/api/v1/label/{query['label']}/values"
            found: list[str] = get_json(url, query=query["stream"])["data"]
            return found
        chosen = {"namespace": ".*", "workload": ".*", "pod": ".*"}
        values = resolve(board, self.prometheus.url, self.at, chosen)
        return offered(variable, board, self.prometheus.url, self.at, values)

    def _choices(self, board: Json) -> Iterator[dict[str, str]]:
        """Give the variables' values: for one node, one workload after the other, if there are."""
        by = {"igpipe-node": "node", "igpipe-workload": "namespace, workload"}.get(board["uid"])
        if by is None:
            yield resolve(board, self.prometheus.url, self.at, _RANGES)
            return
        known = '{__name__=~"igpipe_.+_estimated_total|igpipe_node_seconds_total"}'
        for sample in self.prometheus.vector(f"count by ({by}) ({known})", self.at):
            nothing = dict.fromkeys(by.split(", "), "")
            chosen = {**_RANGES, **nothing, **sample["metric"]}
            yield resolve(board, self.prometheus.url, self.at, chosen)

    def _asked(self, asked: Asked, expr: str) -> bool:
        if asked.source == "loki":
            return self._in_loki(expr, instant=asked.target.get("queryType") == "instant")
        return self._in_prometheus(expr, instant=asked.target.get("instant", False))

    def _in_prometheus(self, expr: str, *, instant: bool) -> bool:
        if instant:
            values = [each["value"] for each in self.prometheus.vector(expr, self.at)]
        else:
            url, since = f"{self.prometheus.url}/api/v1/query_range", self.at - SHOWN
            answer = get_json(url, query=expr, start=since, end=self.at, step=SCRAPE)
            values = [value for each in answer["data"]["result"] for value in each["values"]]
        return any(not math.isnan(float(value)) for _, value in values)

    def _in_loki(self, expr: str, *, instant: bool) -> bool:
        end = int(self.at * 1e9)
        if instant:
            answer = get_json(f"{self.loki.url}/loki/api/v1/query", query=expr, time=end)
        else:
            url, since = f"{self.loki.url}/loki/api/v1/query_range", end - SHOWN * 10**9
            answer = get_json(url, query=expr, start=since, end=end, step=10, limit=10)
        return bool(answer["data"]["result"])


@contextmanager
def demonstration(folder: Path) -> Iterator[Demonstration]:
    """Let igpipe run for some of its periods; then its servers can be asked."""
    (folder / "loki").mkdir()
    with started(Loki(folder / "loki")) as loki:
        prometheus, at = asyncio.run(_play(folder, loki))
        try:
            yield Demonstration(prometheus, loki, at)
        finally:
            prometheus.process.kill()


async def _play(folder: Path, loki: Loki) -> tuple[Prometheus, float]:
    async with SimCluster(SimConfig(nodes=4, rate=12, seed=4, faults=FAULTS)) as cluster:
        tree = config(folder, cluster, **_sections(loki.url))
        async with running(tree) as (address, _):
            target = address.removeprefix("http://")
            prometheus = Prometheus(folder, target, interval=SCRAPE)
            prometheus.process.start()
            await asyncio.sleep(PLAYED)
            # The last moment of which it knows something: a scrape may fail where much else runs.
            last = "max_over_time((time() * (up == 1))[1m:1s])"
            return prometheus, await asyncio.to_thread(prometheus.value, last)


def _sections(loki: str) -> dict[str, Any]:
    """Configure all gadgets, few series, Loki, and a sink whose records Loki never takes."""
    wrong = {"static_labels": {"long": 3000 * "x"}}
    return {
        "cluster": {"name": "demonstration"},
        "rotation": {"period": PERIOD, "max_slots": 4},
        "session": {"duration": 3},
        "gadgets": [{"name": name, "interval": 1} for name in GADGETS],
        "metrics": {"zero_hold": 2 * SCRAPE, "metric_budget": 200},
        "sinks": [
            {"type": "loki", "name": "loki", "url": loki, "backoff_max": 1},
            {"type": "loki", "name": "wrong", "url": loki, "gadgets": ["igpipe_session"], **wrong},
        ],
    }
