"""Which ig a session runs: its image, and where its gadgets come from. Pure."""

from dataclasses import asdict, dataclass, replace
from typing import Literal

from igpipe.config import RolloutConfig, SessionConfig
from igpipe.errors import ConfigError
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan


@dataclass(frozen=True, slots=True)
class Release:
    """One ig, with the gadgets that go with it."""

    image: str
    gadget_registry: str
    gadget_version: str
    generation: Literal["image", "builtin"] = "image"

    def __str__(self) -> str:
        return f"{self.image} (gadgets {self.gadget_version})"

    def on(self, plan: Plan) -> Plan:
        """Let *plan* run it."""
        return replace(plan, session=plan.session.model_copy(update=asdict(self)))

    def suits(self, plan: Plan) -> bool:
        """Tell whether it can do what *plan* asks for: generations of ig differ in that."""
        try:
            build_manifest(self.on(plan), "node", "session")
        except ConfigError:
            return False
        return True


def release_of(session: SessionConfig) -> Release:
    """Tell which ig is configured."""
    return Release(
        session.image, session.gadget_registry, session.gadget_version, session.generation
    )


def previous_of(session: SessionConfig, rollout: RolloutConfig) -> Release | None:
    """Tell which ig is configured as the one before; None without."""
    if not rollout.previous_image:
        return None
    version = rollout.previous_gadget_version or session.gadget_version
    return Release(rollout.previous_image, session.gadget_registry, version, session.generation)
