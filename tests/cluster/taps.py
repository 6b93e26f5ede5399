"""Sessions through the tap on real nodes, their processes, and their accounts."""

import re
from contextlib import suppress
from typing import Any, Final

from benchmarks.cluster import VARIED
from igpipe.config import Config
from igpipe.errors import FrameError
from igpipe.frame import Kind, read_frame
from igpipe.status import Parts
from tests.cluster.images import TAP
from tests.cluster.nodelogs import NodeLogs
from tests.cluster.rig import Rig
from tests.cluster.streams import account, busy
from tests.cluster.tee import Tee

CONTAINER: Final = "trace-open"
NODE: Final = "node-a"
SMALL: Final = 15_000_000
"""Bytes of memory that the tap may take."""
_LIMIT: Final = 1 << 24
_PLAYER: Final = re.compile(rb'msg="player: ([0-9]+) events, held up for ([0-9]+) ms at most"')


def tapped(rig: Rig, rate: int, seconds: float, server: str = "") -> Config:
    """Configure one session through the tap, as ``busy`` does without it."""
    made = busy(rig, rate, seconds, server)
    session: dict[str, Any] = {"tap_image": TAP, "transport": "tap", "image": VARIED}
    session["cpu_request"] = "1"  # a machine that is busy otherwise must not starve the Pod
    update = {
        "session": made.session.model_copy(update=session),
        # It is kept from the API server for longer than other tests do.
        "cluster": made.cluster.model_copy(update={"lease_duration": 120.0}),
    }
    return made.model_copy(update=update)


class Written:
    """What the node's files hold of the one session: all frames, sound and numbered to the end."""

    def __init__(self, parts: Parts, logs: NodeLogs) -> None:
        (session,) = parts.rotation.history
        texts = [line.text for line in logs.lines(session.pod_uid, CONTAINER)]
        frames = [read_frame(text, _LIMIT) for text in texts]
        self.headers = {header.seq: header for header, _ in frames}
        self.last = self.headers[max(self.headers)]
        assert sorted(self.headers) == list(range(len(self.headers)))
        assert self.last.kind is Kind.END
        told = [data for header, data in frames if header.kind is Kind.STDERR]
        (found,) = _PLAYER.findall(b"".join(told)) or [(b"0", b"0")]
        self.printed, self.held_up_ms = map(int, found)
        """Events that the stand-in printed, and how long it could not; 0 if it was killed."""

    def check(self, parts: Parts, tee: Tee) -> int:
        """
        Compare the account with the files, and return how many frames were missed.

        Lines of ig = events + stderr + rejected + dropped + missed, and the missed ones are those
        of the very frames that no connection brought whole.
        """
        told, last = account(parts), self.last
        assert told.balanced()
        assert told.lines == last.all_lines + last.dropped_lines + last.filtered_lines
        assert not self.printed or told.lines - last.stderr_lines == self.printed
        read = set(_read(tee))
        missing = [header for seq, header in self.headers.items() if seq not in read]
        assert told.missed == sum(header.lines for header in missing)
        return len(missing)


def _read(tee: Tee) -> list[int]:
    """Number the frames that some connection brought whole."""
    found = []
    for path in tee.files:
        for line in path.read_bytes().split(b"\n")[:-1]:
            with suppress(FrameError):
                found.append(read_frame(line, _LIMIT)[0].seq)
    return found


def processes(rig: Rig, name: str) -> list[int]:
    """Find the node's processes by their program's name."""
    found = []
    machine = rig.machines[NODE]
    for path in machine.run("sh", "-c", "echo /proc/[0-9]*/comm").split():
        with suppress(RuntimeError):
            if machine.run("cat", path).strip() == name:
                found.append(int(path.split("/")[2]))
    return found


def signal_all(rig: Rig, name: str, number: int) -> int:
    """Send a signal to all processes of that name, and return how many there are."""
    found = processes(rig, name)
    for pid in found:
        rig.machines[NODE].run("kill", f"-{number}", str(pid))
    return len(found)
