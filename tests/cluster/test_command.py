"""``make cluster`` and ``make test-cluster`` where a machine cannot run one."""

import subprocess
import sys

PROGRAM = """
import os, sys
from tests.cluster.__main__ import main
if os.geteuid() == 0:
    os.setuid(65534)
sys.exit(main([sys.argv[1]]))
"""


def test_a_machine_that_cannot_says_why() -> None:
    """Before anything is installed or built, with a status of its own, which the targets know."""
    for word in ("check", "install", "up"):
        command = [sys.executable, "-c", PROGRAM, word]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 3, done.stderr
        assert done.stdout.startswith("No real cluster on this machine: it needs root")
