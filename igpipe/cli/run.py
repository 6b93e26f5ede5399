"""``igpipe run``: the service."""

import asyncio
import gc

from igpipe.cli.common import ConfigPath, prepare


def run(config: ConfigPath = None) -> None:
    """Rotate sessions over the cluster's nodes until Ctrl-C or SIGTERM."""
    loaded = prepare(config)
    from igpipe.service import serve

    # What is loaded now stays: the collector need not look at it again, which costs pauses.
    gc.collect()
    gc.freeze()
    asyncio.run(serve(loaded))
