"""From the log of a container on a node to whole lines in a bounded queue."""

from igpipe.stream.budget import Budget
from igpipe.stream.coalesce import Coalescer
from igpipe.stream.exposure import Exposure
from igpipe.stream.follow import Follower, Patience, Stream
from igpipe.stream.frames import LineCutter
from igpipe.stream.pipes import PipeFollower, PipeLines
from igpipe.stream.queue import FairQueue, Port
from igpipe.stream.tap import FrameReading
from igpipe.stream.transport import Container, LogReader, LogSource, Outlet

__all__ = [
    "Budget",
    "Coalescer",
    "Container",
    "Exposure",
    "FairQueue",
    "Follower",
    "FrameReading",
    "LineCutter",
    "LogReader",
    "LogSource",
    "Outlet",
    "Patience",
    "PipeFollower",
    "PipeLines",
    "Port",
    "Stream",
]
