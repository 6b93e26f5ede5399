"""All dashboards, as text by path. Pure."""

import json

from dashboards import coverage, events, node, overview, workload


def render_boards() -> dict[str, str]:
    """Return every dashboard's JSON by its path in the repository."""
    boards = {
        "overview": overview.build(),
        "workload": workload.build(),
        "node": node.build(),
        "coverage": coverage.build(),
        "events": events.build(),
    }
    return {
        f"grafana/{name}.json": json.dumps(board, indent=1, ensure_ascii=False) + "\n"
        for name, board in boards.items()
    }
