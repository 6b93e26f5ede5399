"""Write the dashboards, or check them: ``python -m grafana.dashboards [--check]``."""

import sys
from pathlib import Path

from grafana.dashboards.boards import render_boards

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    """Write what is stale; with ``--check`` write nothing and return 1 if something is."""
    check = arguments == ["--check"]
    if arguments and not check:
        sys.stderr.write("usage: python -m grafana.dashboards [--check]\n")
        return 2
    stale = {path: text for path, text in render_boards().items() if _differs(ROOT / path, text)}
    for path, text in stale.items():
        sys.stdout.write(f"{path}: {'stale, run make generate' if check else 'written'}\n")
        if not check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
