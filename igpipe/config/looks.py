"""Configuration of looks on demand."""

from pydantic import Field

from igpipe.config.types import Bytes, Model, Seconds


class LooksConfig(Model):
    """Looks on demand, by `igpipe look`, the API or an alert: ahead of the rotation."""

    enabled: bool = True
    """Whether anybody may ask for one."""
    gadgets: tuple[str, ...] = ()
    """Gadgets that may be asked for beside those of every session; "*": all that igpipe knows.
    Apply the admission policies again after a change."""
    max_duration: Seconds = Field(300.0, ge=1)
    """The longest look; the admission policies hold the Pod to it as well."""
    max_nodes: int = Field(10, ge=1)
    """How many nodes one look may have."""
    max_live: int = Field(10, ge=1)
    """How many looks may wait or run at once; further ones are refused."""
    max_per_hour: int = Field(30, ge=1)
    """How many nodes may be looked at on demand within an hour; further ones are refused."""
    cooldown: Seconds = 60.0
    """After a look at a node by a gadget the same is refused for so long."""
    patience: Seconds = Field(120.0, gt=0)
    """How long a look waits for a slot, and for its node's rest, before it is given up."""
    buffer: Bytes = Field(2**20, ge=2**16)
    """Output of one look that is kept for those who watch; who lags further behind misses lines,
    which are counted."""
    alert_node_label: str = Field("node", min_length=1)
    """The label of an alert that names the node to look at."""
    alert_gadget_label: str = Field("gadget", min_length=1)
    """The label of an alert that names the gadget."""
    alert_gadget: str = ""
    """The gadget for alerts without that label; empty: they ask for nothing."""
    alert_duration: Seconds = Field(120.0, ge=1)
    """How long a look lasts that an alert asked for, at most max_duration."""
