"""The text of /metrics: event series and igpipe's own, in one."""

import asyncio
import zlib

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from igpipe.telemetry import Telemetry
from igpipe.web.exposition import expose
from tests.web.fakes import FakeViews


async def exposed(views: FakeViews, **how: bool) -> bytes:
    """Return a whole exposition."""
    options = {"openmetrics": False, "gzip": False, **how}
    return b"".join(await expose(views, Telemetry(), **options))


async def test_event_series_come_before_igpipes_own() -> None:
    """Both parts are in one text, which parses."""
    text = (await exposed(FakeViews())).decode()
    assert text.index("igpipe_x 1") < text.index("igpipe_build_info")
    assert {"igpipe_x", "igpipe_slots"} <= {family.name for family in parse_text(text)}


async def test_openmetrics_ends_once() -> None:
    """The end is marked at the end, only there, and the text parses."""
    views = FakeViews()
    views.slices = [b"# TYPE igpipe_x gauge\n", b"igpipe_x 1\n", b"# EOF\n"]
    text = (await exposed(views, openmetrics=True)).decode()
    assert text.count("# EOF") == 1
    assert text.endswith("# EOF\n")
    assert "igpipe_x" in {family.name for family in parse_openmetrics(text)}


async def test_gzip_unpacks_to_the_same() -> None:
    """Packing loses nothing."""
    views = FakeViews()
    views.slices = [b"x" * 100_000, b"y\n"]
    packed = await exposed(views, gzip=True)
    plain = zlib.decompress(packed, wbits=31)
    assert plain.startswith(b"x" * 100_000 + b"y\n")
    assert len(packed) < len(plain) / 10


@pytest.mark.parametrize("openmetrics", [False, True])
async def test_created_samples_are_left_out(openmetrics: bool) -> None:
    """Nobody asks when a counter of ours was made."""
    assert b"_created" not in await exposed(FakeViews(), openmetrics=openmetrics)


async def test_the_loop_runs_between_slices() -> None:
    """Other tasks have their turn after each slice."""
    views = FakeViews()
    views.slices = [b"a\n"] * 50
    turns = 0
    making = asyncio.create_task(exposed(views))
    while not making.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 50


async def test_a_scrape_is_counted() -> None:
    """Each exposition adds its CPU time."""
    telemetry = Telemetry()
    await expose(FakeViews(), telemetry, openmetrics=False, gzip=True)
    assert telemetry.registry.get_sample_value("igpipe_scrape_seconds_count") == 1
