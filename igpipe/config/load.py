"""Load the configuration: a file, the environment, the defaults; all faults at once."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import ValidationError

from igpipe.config.document import Document, parse_document
from igpipe.config.faults import explain
from igpipe.config.tree import Config, LogConfig
from igpipe.config.types import Model
from igpipe.errors import ConfigError
from igpipe.text import safe

M = TypeVar("M", bound=Model)
LOG_LEVELS: Final[tuple[str, ...]] = get_args(LogConfig.model_fields["level"].annotation)


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """
    Read *path*, or $IGPIPE_CONFIG, or take the defaults; $IGPIPE_LOG_LEVEL goes before the file.

    Raises ConfigError that lists every fault.
    """
    if path is None and environ.get("IGPIPE_CONFIG"):
        path = Path(environ["IGPIPE_CONFIG"])
    level = environ.get("IGPIPE_LOG_LEVEL", "").lower()
    if level and level not in LOG_LEVELS:
        raise ConfigError(f"$IGPIPE_LOG_LEVEL: expected {', '.join(LOG_LEVELS)}, got {safe(level)}")
    config = parse(read_file(path), str(path)) if path else Config()
    if level:
        # Checked above: the only value that model_copy takes here without a look.
        log = config.log.model_copy(update={"level": level})
        config = config.model_copy(update={"log": log})
    return config


def parse(text: bytes, source: str) -> Config:
    """Validate YAML (an empty file means the defaults); *source* names it in faults."""
    document = parse_document(text, source)
    document.data = present(document)
    return validate(document, Config)


def validate(document: Document, model: type[M]) -> M:
    """Make a *model* of *document*. Raises ConfigError that lists every fault."""
    try:
        # By way of JSON, where strict takes a list for a tuple and text for a path.
        made = model.model_validate_json(json.dumps(document.data, default=str))
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        raise ConfigError("\n".join(explain(errors, model, document))) from None
    if document.faults:
        raise ConfigError("\n".join(explain((), model, document)))
    return made


def present(document: Document) -> dict[str, Any]:
    """Take a section whose keys are all commented out (null) as absent."""
    if document.data is None:
        return {}
    if not isinstance(document.data, dict):
        raise ConfigError(f"{document.source}:1: expected a mapping of sections")
    return {key: value for key, value in document.data.items() if value is not None}


def read_file(path: Path) -> bytes:
    """Read a file of ours. Raises ConfigError."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from None
