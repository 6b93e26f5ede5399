"""
What the recordings decode to, in short: ``python -m tests.decode.golden`` writes golden.jsonl.

One line a recording: its account, its notices by kind, and all canonical names of its first and
last event. Regenerate after a wanted change, and read the difference before it is committed.
"""

import json
from dataclasses import asdict
from pathlib import Path

from igpipe.decode import event_time, getter, identify
from igpipe.decode.names import CANONICAL
from igpipe.model import Event
from tests.decode.recorded import decode_file, files, name_of

GOLDEN = Path(__file__).with_name("golden.jsonl")
_GETTERS = {name: getter(name) for name in CANONICAL if name != "timestamp"}


def describe(path: Path) -> str:
    """Write one recording's line."""
    decoded = decode_file(path)
    account = {key: value for key, value in asdict(decoded.account).items() if value}
    ends = decoded.events[:1] + decoded.events[1:][-1:]
    return json.dumps(
        {
            "file": name_of(path),
            "account": account,
            "notices": decoded.kinds(),
            "events": [_describe(event) for event in ends],
        },
        ensure_ascii=True,
    )


def text() -> str:
    """Write the whole golden file."""
    return "".join(f"{describe(path)}\n" for path in files())


def _describe(event: Event) -> dict[str, object]:
    values = {name: fetch(event) for name, fetch in _GETTERS.items()}
    known = {name: value for name, value in values.items() if value not in (None, "")}
    return {"gadget": identify(event), "time": event_time(event), **known}


if __name__ == "__main__":
    GOLDEN.write_text(text())
