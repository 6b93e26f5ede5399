"""All dashboards, as text by path. Pure."""

import json
from typing import Final

from grafana.dashboards import coverage, events, node, overview, workload

# Helm reads nothing outside of its chart.
_FOLDERS: Final = ("grafana", "deploy/chart/files/dashboards")


def render_boards() -> dict[str, str]:
    """Return every dashboard's JSON by its path in the repository."""
    boards = {
        "overview": overview.build(),
        "workload": workload.build(),
        "node": node.build(),
        "coverage": coverage.build(),
        "events": events.build(),
    }
    texts = {
        f"{name}.json": json.dumps(board, indent=1, ensure_ascii=False) + "\n"
        for name, board in boards.items()
    }
    return {f"{folder}/{name}": text for folder in _FOLDERS for name, text in texts.items()}
