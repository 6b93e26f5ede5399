"""The recordings in tests/data/ig, decoded; shared by the tests of this room."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from igpipe.decode import LineDecoder, Notice, open_input, read_blocks
from igpipe.decode.identify import gadget_of_file
from igpipe.model import Event, LineAccount

DATA = Path(__file__).parents[1] / "data" / "ig"
LINE_LIMIT, ARRAY_LIMIT = 1 << 20, 1 << 24
PRETTY = DATA / "v0.30.0" / "list_containers.json"


@dataclass
class Decoded:
    """What came out of one file."""

    account: LineAccount = field(default_factory=LineAccount)
    events: list[Event] = field(default_factory=list)
    lines: list[bytes | None] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def take(self, event: Event, line: bytes | None) -> None:
        """Keep an event and its line."""
        self.events.append(event)
        self.lines.append(line)

    def kinds(self) -> dict[str, int]:
        """Count the notices by kind."""
        return dict(Counter(notice.kind.value for notice in self.notices))


def files() -> list[Path]:
    """List all files of lines, oldest folder first."""
    return sorted(path for path in DATA.rglob("*.*") if path.is_file() and path != PRETTY)


def name_of(path: Path) -> str:
    """Name a recording for a test's id."""
    return path.relative_to(DATA).as_posix()


def decode_file(path: Path) -> Decoded:
    """Decode one file whole."""
    decoded = Decoded()
    decoder = _decoder(gadget_of_file(path.name) or "", decoded)
    with open_input(str(path)) as stream:
        for block in read_blocks(stream, path.name, line_limit=ARRAY_LIMIT):
            decoded.notices += decoder.feed(block)
    return decoded


def decode(data: bytes, gadget: str = "trace_exec") -> Decoded:
    """Decode *data*, fed at once."""
    decoded = Decoded()
    decoded.notices += _decoder(gadget, decoded).feed(data)
    return decoded


def _decoder(gadget: str, decoded: Decoded) -> LineDecoder:
    return LineDecoder(
        gadget,
        decoded.take,
        decoded.account,
        line_limit=LINE_LIMIT,
        array_limit=ARRAY_LIMIT,
    )
