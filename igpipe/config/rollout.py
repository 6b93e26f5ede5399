"""Configuration of how a new ig reaches the nodes."""

from pydantic import Field

from igpipe.config.types import Model


class RolloutConfig(Model):
    """How a new ig (its image, its gadgets', the tap's) comes to the nodes: step by step."""

    enabled: bool = True
    """Try a new ig on one node, then in one zone, then everywhere; off: everywhere at once. The
    first ig that an instance ever has runs everywhere, too: there is none to go back to."""
    sessions: int = Field(3, ge=1)
    """How many sessions must complete in each step, and everywhere, before the ig is proven."""
    failures: int = Field(2, ge=1)
    """After so many failed sessions in a step the last proven ig runs everywhere again."""
    previous_image: str = ""
    """The image to go back to while none is known to be proven; the admission policies then allow
    it, too. Empty: the last proven one, as igpipe's Lease remembers it."""
    previous_gadget_version: str = ""
    """The tag of gadget images that belongs to previous_image; empty: session.gadget_version."""
    previous_gadget_images: dict[str, str] = Field(default_factory=dict)
    """By gadget, the image that it had before gadgets.image changed; empty text: the registry's."""
    previous_tap_image: str = ""
    """The tap's image before session.tap_image changed; empty: session.tap_image."""
