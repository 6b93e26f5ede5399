"""
All benchmarks: ``python -m benchmarks [--write] [NAME …]``.

Each prints a table of ratios taken in one run; ``--write`` puts the tables into
docs/performance.md, between the markers that name them. Those that need a real cluster are left
out, with the reason, where the machine cannot run one.
"""

import argparse
import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import coalesce, delivery, fleet, frames, hotpath, sessions, tap
from tests.cluster.install import obstacle

PAGE: Final = Path(__file__).parent.parent / "docs" / "performance.md"


def _hotpath() -> str:
    return hotpath.table(hotpath.measure(seconds=60.0))


def _coalesce() -> str:
    return coalesce.table(coalesce.measure())


def _delivery() -> str:
    return delivery.table(delivery.measure())


def _fleet() -> str:
    return fleet.table(fleet.measure())


def _frames() -> str:
    return frames.table(frames.measure())


def _tap() -> str:
    return tap.table(tap.measure())


def _sessions() -> str:
    return sessions.table(sessions.measure())


BENCHMARKS: Final[dict[str, Callable[[], str]]] = {
    "hotpath": _hotpath,
    "coalesce": _coalesce,
    "delivery": _delivery,
    "fleet": _fleet,
    "frames": _frames,
    "tap": _tap,
    "sessions": _sessions,
}
ON_CLUSTERS: Final = {"tap", "sessions"}
"""Those that need a real cluster."""


def main(arguments: list[str] | None = None) -> int:
    """Run what is named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--write", action="store_true", help="write the tables into the docs")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - BENCHMARKS.keys():
        parser.error(
            f"no benchmark {', '.join(sorted(unknown))}: choose of {', '.join(BENCHMARKS)}"
        )
    for name in given.names or BENCHMARKS:
        print(f"## {name}\n", flush=True)
        if name in ON_CLUSTERS and (why := obstacle()):
            print(f"Left out: no real cluster on this machine: {why}.\n", flush=True)
            continue
        table = BENCHMARKS[name]()
        print(f"{table}\n", flush=True)
        if given.write:
            _write(name, table)
    return 0


def _write(name: str, table: str) -> None:
    """Put *table* between its markers."""
    text = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    where = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not where.search(text):
        raise SystemExit(f"{PAGE}: the markers of {name} are missing")
    about = f"CPython {platform.python_version()}, {platform.machine()}"
    body = f"{begin}\n{table}\n\n*{about}; written by `make bench ARGS=--write`.*\n{end}"
    PAGE.write_text(where.sub(lambda _: body, text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
