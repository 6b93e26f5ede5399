"""Which ig a session runs: its image, where its gadgets come from, and the tap before it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from igpipe.config import GadgetConfig, RolloutConfig
from igpipe.errors import ConfigError
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan


@dataclass(frozen=True, slots=True)
class Release:
    """
    One ig, with the gadgets and the tap that go with it.

    ``gadget_images`` has an image for each gadget, empty where it comes from the registry;
    ``tap_image`` is empty where there is no tap.
    """

    image: str
    gadget_registry: str
    gadget_version: str
    generation: Literal["image", "builtin"] = "image"
    tap_image: str = ""
    gadget_images: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        own = [f"{name} {image}" for name, image in self.gadget_images.items() if image]
        tap = [f"tap {self.tap_image}"] if self.tap_image else []
        return f"{self.image} ({', '.join([f'gadgets {self.gadget_version}', *own, *tap])})"

    def on(self, plan: Plan) -> Plan:
        """Let *plan* run it."""
        changes = asdict(self)
        del changes["gadget_images"]
        session = plan.session.model_copy(update=changes)
        return replace(plan, session=session, gadgets=tuple(map(self._of, plan.gadgets)))

    def beside(self, wanted: "Release") -> "Release":
        """Take for gadgets that it does not know *wanted*'s images, and no tap if that has none."""
        images = {
            name: self.gadget_images.get(name, image)
            for name, image in wanted.gadget_images.items()
        }
        tap = self.tap_image if wanted.tap_image else ""
        return replace(self, gadget_images=images, tap_image=tap)

    def suits(self, plan: Plan) -> bool:
        """Tell whether it can do what *plan* asks for: generations of ig differ in that."""
        try:
            build_manifest(self.on(plan), "node", "session")
        except ConfigError:
            return False
        return True

    def _of(self, gadget: GadgetConfig) -> GadgetConfig:
        image = self.gadget_images.get(gadget.name, gadget.image)
        return gadget.model_copy(update={"image": image})


def release_of(plan: Plan) -> Release:
    """Tell which ig is configured."""
    session = plan.session
    return Release(
        session.image,
        session.gadget_registry,
        session.gadget_version,
        session.generation,
        session.tap_image if plan.tapped else "",
        {gadget.name: gadget.image for gadget in (*plan.gadgets, *plan.on_demand)},
    )


def previous_of(plan: Plan, rollout: RolloutConfig) -> Release | None:
    """Tell which ig is configured as the one before, as far as it differed; None without."""
    images = rollout.previous_gadget_images
    if not (rollout.previous_image or rollout.previous_tap_image or images):
        return None
    wanted = release_of(plan)
    return replace(
        wanted,
        image=rollout.previous_image or wanted.image,
        gadget_version=rollout.previous_gadget_version or wanted.gadget_version,
        tap_image=rollout.previous_tap_image or wanted.tap_image,
        gadget_images={**wanted.gadget_images, **images},
    )
