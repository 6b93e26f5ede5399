"""The ledger: what every session was, kept in a file, in the sinks and as Kubernetes Events."""

from igpipe.ledger.events import Events
from igpipe.ledger.ledger import Ledger
from igpipe.ledger.read import Story, read_stories, told_stories

__all__ = ["Events", "Ledger", "Story", "read_stories", "told_stories"]
