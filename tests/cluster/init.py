"""
PID 1 of a machine: mounts, starts and ends services as its standard input says, reaps orphans.

Runs by itself, without the rest of the project. A line ``start NAME``, ``stop NAME``, ``kill NAME``
or ``list`` is answered by one line, ``ok …`` or ``error …``; the end of the input ends the machine.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 10.0


class Init:
    """The services of one machine."""

    def __init__(self, setup):
        self._setup = setup
        self._pids = {}

    def answer(self, verb, name):
        """Do what one line asks, and return the answer."""
        if verb == "list":
            return json.dumps(self._pids)
        if verb == "start":
            self._start(name)
        else:
            self._end(name, signal.SIGKILL if verb == "kill" else signal.SIGTERM)
        return str(self._pids.get(name, ""))

    def reap(self):
        """Take the exit of every child, own or inherited."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name in [name for name, of in self._pids.items() if of == pid]:
                del self._pids[name]
                print(name, "ended with", os.waitstatus_to_exitcode(status), file=sys.stderr)

    def shutdown(self):
        """End all services, the last one first."""
        for name in reversed(list(self._pids)):
            self._end(name, signal.SIGTERM)

    def _start(self, name):
        if name in self._pids:
            raise RuntimeError("it runs already")
        log = os.open(f"{self._setup['logs']}/{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        command = self._setup["services"][name]
        # Without a Popen object, whose own waiting would race with that for orphans.
        self._pids[name] = os.posix_spawnp(
            command[0],
            command,
            {**os.environ, **self._setup["env"]},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
        os.close(log)
        os.close(nothing)

    def _end(self, name, number):
        pid = self._pids.get(name)
        if pid is None:
            return
        os.kill(pid, number)
        late = time.monotonic() + PATIENCE
        while self._pids.get(name) == pid:
            if time.monotonic() > late:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
            self.reap()


def main():
    """Serve standard input until it ends."""
    setup = json.loads(Path(sys.argv[1]).read_text())
    _mount(setup)
    init = Init(setup)
    buffer = b""
    while True:
        ready, _, _ = select.select([0], [], [], 0.2)
        init.reap()
        if not ready:
            continue
        data = os.read(0, 4096)
        if not data:
            break
        *lines, buffer = (buffer + data).split(b"\n")
        for line in lines:
            verb, _, name = line.decode().partition(" ")
            try:
                print("ok", init.answer(verb, name), flush=True)
            except (OSError, KeyError, RuntimeError) as error:
                print("error", repr(error), flush=True)
    init.shutdown()


def _mount(setup):
    """Make this namespace's mounts its own, then shared as kubelet wants them."""
    _run("mount", "--make-rprivate", "/")
    _run("mount", "--make-rshared", "/")
    for source, target in setup["binds"]:
        if Path(source).is_dir():
            Path(target).mkdir(parents=True, exist_ok=True)
        _run("mount", "--bind", source, target)
    for kind, target in setup["mounts"]:
        if not os.path.ismount(target):
            _run("mount", "-t", kind, kind, target)


def _run(*command):
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
