"""What is kept over a restart: when each gadget last looked at each node."""

import logging
import os
from pathlib import Path
from typing import Any

import orjson

log = logging.getLogger(__name__)

_VERSION = 1


def load_state(path: Path | None) -> dict[str, Any] | None:
    """
    Read what an earlier process saved; None if there is nothing of use.

    A file that cannot be used is told in the log and left: looks then count from the start.
    """
    if path is None or not path.exists():
        return None
    try:
        state = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as exc:
        log.warning("the state file is of no use", extra={"file": str(path), "error": str(exc)})
        return None
    if not isinstance(state, dict) or state.get("version") != _VERSION:
        log.warning("the state file is of another version", extra={"file": str(path)})
        return None
    metrics = state.get("metrics")
    return metrics if isinstance(metrics, dict) else None


def save_state(path: Path | None, metrics: dict[str, Any]) -> None:
    """Write it whole or not at all; a failure is told in the log and tried again next time."""
    if path is None:
        return
    fresh = path.with_name(f"{path.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(orjson.dumps({"version": _VERSION, "metrics": metrics}))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as exc:
        log.warning("cannot save the state", extra={"file": str(path), "error": str(exc)})
