"""``igpipe generate``: write the files that are made from code, or check them."""

from pathlib import Path
from typing import Annotated

import typer


def generate(
    root: Annotated[Path, typer.Option(help="The repository.")] = Path(),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if stale.")] = False,
) -> None:
    """Write config/, deploy/, docs/config.md, docs/metrics.md and docs/alerts.md from the code."""
    from igpipe.cli.generated import render_all

    stale = {path: text for path, text in render_all().items() if _differs(root / path, text)}
    for path, text in stale.items():
        typer.echo(f"{path}: {'stale, run make generate' if check else 'written'}")
        if not check:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
    if check and stale:
        raise typer.Exit(1)


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text() != text
