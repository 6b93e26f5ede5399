"""Writing and checking what is made from code."""

from pathlib import Path

from tests.cli.typed import typed


def test_generate_writes_what_is_stale_and_checks(tmp_path: Path) -> None:
    """The first check fails, after writing it is content."""
    root = ("--root", str(tmp_path))
    assert typed("generate", *root, "--check").exit_code == 1
    assert not list(tmp_path.iterdir())
    assert "config/igpipe.yaml: written" in typed("generate", *root).output
    assert typed("generate", *root, "--check").exit_code == 0
    (tmp_path / "config/igpipe.yaml").write_text("")
    result = typed("generate", *root, "--check")
    assert (result.exit_code, result.output) == (
        1,
        "config/igpipe.yaml: stale, run make generate\n",
    )
