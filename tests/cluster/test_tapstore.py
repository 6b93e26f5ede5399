"""Gadget images that come with the tap: sessions without any registry."""

from pathlib import Path

from igpipe.config import GadgetConfig
from igpipe.model import Outcome, Reason
from tests.cluster.gadgetstore import TAP_WITH_GADGETS, make_image
from tests.cluster.images import write_image
from tests.cluster.rig import Rig
from tests.cluster.scenes import finished, observing
from tests.cluster.taps import tapped
from tests.cluster.tee import recorded

_KNOWN = "ghcr.io/inspektor-gadget/gadget/trace_open:v0.55.1"


async def test_ig_reads_the_images_that_the_tap_brought(varied: Rig, tmp_path: Path) -> None:
    """It finds them by name and cannot change them; what is not among them is not pulled."""
    archive = tmp_path / "tap.tar"
    write_image(make_image(tmp_path / "store", [_KNOWN]), archive)
    varied.load(archive)
    made = tapped(varied, 20, 4)
    session = {"tap_image": TAP_WITH_GADGETS, "gadget_store": "tap"}
    update = {
        "session": made.session.model_copy(update=session),
        "gadgets": (*made.gadgets, GadgetConfig(name="trace_exec")),
    }
    async with recorded(made.model_copy(update=update), tmp_path) as (parts, _):
        await observing(parts)
        await finished(parts, 60)
    (ended,) = parts.rotation.history
    known, unknown = (ended.gadgets[name] for name in ("trace_open", "trace_exec"))
    assert known.ending.outcome is Outcome.COMPLETED
    assert any("player: images: read-only" in line for line in known.stderr)
    assert unknown.ending.reason is Reason.GADGET_ERROR
    assert "trace_exec:v0.55.1" in unknown.ending.message
    assert "not found" in unknown.ending.message
