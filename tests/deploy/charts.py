"""The chart's folder, and what of it the plain manifests are made of."""

import hashlib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "chart"
MANIFESTS: Final = ROOT / "deploy" / "manifests"
# Values for examples and tests, and what the defaults leave out.
_APART: Final = (
    "ci/",
    "files/dashboards/",
    "files/rules.yaml",
    "templates/tests/",
    "values.schema",
)


def chart_digest() -> str:
    """Tell two states of the chart apart, as far as the plain manifests depend on it."""
    digest = hashlib.sha256()
    for path in sorted(CHART.rglob("*")):
        name = path.relative_to(CHART).as_posix()
        if path.is_file() and not name.startswith(_APART):
            digest.update(f"{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
