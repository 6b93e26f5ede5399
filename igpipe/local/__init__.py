"""This host as a cluster of one node, on which ig runs as child processes."""

from igpipe.local.host import LocalHost, open_host
from igpipe.local.tool import find_ig

__all__ = ["LocalHost", "find_ig", "open_host"]
