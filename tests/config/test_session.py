"""Gadgets and sessions: short names, distinct names, bounds."""

import pytest
from pydantic import ValidationError

from igpipe.config import Config, GadgetConfig, SessionConfig
from igpipe.config.session import DEFAULT_GADGETS


def test_a_gadget_may_be_its_name() -> None:
    """A name alone stands for the gadget with its defaults."""
    config = Config(gadgets=("trace_exec",))  # type: ignore[arg-type]  # as YAML has it
    assert config.gadgets == (GadgetConfig(name="trace_exec"),)


def test_the_default_gadgets() -> None:
    """Without a word the default gadgets run."""
    assert tuple(gadget.name for gadget in Config().gadgets) == DEFAULT_GADGETS


def test_a_gadget_runs_once() -> None:
    """Two containers of one name cannot be."""
    twice = (GadgetConfig(name="trace_exec"),) * 2
    with pytest.raises(ValidationError, match="trace_exec listed twice"):
        Config(gadgets=twice)


@pytest.mark.parametrize("name", ["", "A", "trace-exec", "trace__exec", "a" * 41, "_a", "a;b"])
def test_a_gadgets_name_is_plain(name: str) -> None:
    """It becomes a container's name and part of an image's."""
    with pytest.raises(ValidationError):
        GadgetConfig(name=name)


@pytest.mark.parametrize(
    ("session", "key"),
    [
        ({"transport": "tap"}, "session.tap_image: empty"),
        ({"gadget_store": "tap"}, "session.gadget_store: tap"),
        ({"gadget_store": "tap", "tap_image": "t", "transport": "logs"}, "session.gadget_store"),
    ],
)
def test_what_the_tap_brings_needs_the_tap(session: dict[str, str], key: str) -> None:
    """Neither frames nor gadget images come without its image."""
    with pytest.raises(ValidationError, match=key):
        Config(session=SessionConfig.model_validate(session))
    assert Config(session=SessionConfig(tap_image="t", gadget_store="tap")).session.tapped


@pytest.mark.parametrize("path", ["var/lib", "/a:b", "/a/", "/"])
def test_a_store_is_an_absolute_path(path: str) -> None:
    """What Kubernetes would refuse is refused here, with a line number."""
    with pytest.raises(ValidationError):
        SessionConfig(gadget_store_path=path)
