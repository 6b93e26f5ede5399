"""The log files of containers as nodes have them, kept although Pods and kubelets remove them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cluster.rig import Rig

_TICK: Final = 0.05


@dataclass(frozen=True, slots=True)
class Line:
    """One line as its runtime wrote it: ``stamp`` is its time, ``text`` is without newline."""

    stamp: str
    stream: str
    text: bytes


class NodeLogs:
    """
    Finds log files and keeps a hard link to each.

    A link shows what is still written, and stays when the file is rotated, packed or removed.
    """

    def __init__(self, rig: Rig) -> None:
        self._roots = [place.pod_logs for place in rig.places.values()]
        self._keep = rig.folder / f"kept-{os.urandom(4).hex()}"
        self._keep.mkdir()
        self._links: dict[tuple[str, str], dict[int, Path]] = {}

    def look(self) -> None:
        """Keep what is new; of a folder that is removed meanwhile nothing is."""
        for root in self._roots:
            for pod in root.glob("*"):
                with suppress(FileNotFoundError):
                    for path in pod.glob("*/*.log*"):
                        self._take(path)

    def lines(self, pod_uid: str, container: str) -> list[Line]:
        """Return all lines of a container, in order, over all its files."""
        files = self._links.get((pod_uid, container), {}).values()
        # As one text: a long line's pieces may be in two files.
        return list(_parse(b"".join(path.read_bytes() for path in files)))

    def digests(self, pod_uid: str, container: str) -> list[list[int]]:
        """Return what ``digest`` makes of each event, file by file: little of much."""
        files = self._links.get((pod_uid, container), {}).values()
        return [
            [digest(line.text) for line in _parse(path.read_bytes()) if is_event(line.text)]
            for path in files
        ]

    def files(self, pod_uid: str, container: str) -> int:
        """Count the files of a container's log: one more than its rotations."""
        return len(self._links.get((pod_uid, container), {}))

    def _take(self, path: Path) -> None:
        uid = path.parent.parent.name.rpartition("_")[2]
        links = self._links.setdefault((uid, path.parent.name), {})
        inode = path.stat().st_ino
        if inode in links or path.suffix in {".gz", ".tmp"}:
            return
        link = self._keep / f"{uid}-{path.parent.name}-{inode}"
        os.link(path, link)
        links[inode] = link


@contextmanager
def node_logs(rig: Rig) -> Iterator[NodeLogs]:
    """Keep all logs that are written during the block."""
    logs, done = NodeLogs(rig), threading.Event()

    def watch() -> None:
        while not done.wait(_TICK):
            logs.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield logs
    finally:
        done.set()
        thread.join()
        logs.look()


def is_event(text: bytes) -> bool:
    """Tell whether a line is an event, and so like no other line: it has its time."""
    return text.startswith(b"{")


def digest(text: bytes) -> int:
    """Make a number of a line without its newline."""
    return hash(text)


def _parse(data: bytes) -> Iterator[Line]:
    """Read the runtime's format, in which a long line is cut into pieces: P… and a last F."""
    parts: list[bytes] = []
    for raw in data.splitlines():
        stamp, stream, tag, text = raw.split(b" ", 3)
        parts.append(text)
        if tag == b"F":
            yield Line(stamp.decode(), stream.decode(), b"".join(parts))
            parts = []
