"""
A stand-in for ig: prints recorded events as fast as it is told, heeds --timeout and SIGTERM.

Copied as ``ig`` into a folder of its own. ``ig.json`` there tells what to do by gadget (``rate``
in events a second, ``flood`` in events at once, ``error``, ``stubborn``); what it did goes to
``ig.log``.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

HOME = Path(__file__).parent
EVENTS = {
    "trace_exec": b'{"comm":"sh","proc":{"comm":"cat","pid":7},"args":"cat /etc/hosts"}\n',
    "snapshot_process": b'[{"comm":"init","pid":1,"tid":1},{"comm":"sh","pid":2,"tid":2}]\n',
}


class Stopped(Exception):
    """SIGTERM came."""


def main(arguments: list[str]) -> int:
    """Do what ``ig version`` or ``ig run`` does."""
    if arguments == ["version"]:
        sys.stdout.write("v0.54.0\n")
        return 0
    gadget = arguments[1].rpartition("/")[2].partition(":")[0]
    told = json.loads((HOME / "ig.json").read_text()).get(gadget, {})
    note(gadget, event="start", pid=os.getpid(), arguments=arguments, group=os.getpgrp())
    say("debug", "loading")
    if "error" in told:
        os.write(2, f"Error: {told['error']}\n".encode())
        note(gadget, event="end", lines=2)
        return 1
    say("debug", "running...")
    timeout = int(arguments[arguments.index("--timeout") + 1])
    return play(gadget, told, time.monotonic() + timeout)


def play(gadget: str, told: dict[str, float], until: float) -> int:
    """Print until *until*, or SIGTERM."""
    stop = signal.SIG_IGN if told.get("stubborn") else stopped
    signal.signal(signal.SIGTERM, stop)
    lines = 2
    line = EVENTS[gadget]
    try:
        for _ in range(int(told.get("flood", 0)) // 100):
            os.write(1, line * 100)
            lines += 100
        while time.monotonic() < until:
            os.write(1, line)
            lines += 1
            say("debug", "between")
            lines += 1
            time.sleep(1 / told.get("rate", 50))
    except Stopped:
        pass
    note(gadget, event="end", lines=lines)
    return 0


def stopped(number: int, frame: object) -> None:
    """Leave what is being done."""
    raise Stopped


def say(level: str, text: str) -> None:
    """Write a line of ig's log."""
    os.write(2, f'time="2026-11-23T05:18:57Z" level={level} msg={text}\n'.encode())


def note(gadget: str, **fields: object) -> None:
    """Tell the test what was done."""
    with (HOME / "ig.log").open("a") as file:
        file.write(json.dumps({"gadget": gadget, **fields}) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
