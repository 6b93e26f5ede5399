"""From lines of a stream to events: decoding, names, times, and recorded input."""

from igpipe.decode.identify import identify
from igpipe.decode.lines import FOREIGN, REJECTS, SAMPLE, UNLIKE, LineDecoder, line_time
from igpipe.decode.names import (
    DERIVED,
    event_time,
    getter,
    label_text,
    namespace_of,
    number,
    paths,
)
from igpipe.decode.source import open_input, read_blocks
from igpipe.decode.stderr import Notice, NoticeKind
from igpipe.decode.workload import workload

__all__ = [
    "DERIVED",
    "FOREIGN",
    "REJECTS",
    "SAMPLE",
    "UNLIKE",
    "LineDecoder",
    "Notice",
    "NoticeKind",
    "event_time",
    "getter",
    "identify",
    "label_text",
    "line_time",
    "namespace_of",
    "number",
    "open_input",
    "paths",
    "read_blocks",
    "workload",
]
