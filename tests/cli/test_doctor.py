"""What doctor prints, and how it ends."""

import json
from pathlib import Path

import pytest

from igpipe.cli.doctor import tell
from igpipe.cli.findings import failure, ok
from tests.cli.typed import typed


def test_findings_are_told_with_their_remedies(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, the remedy below."""
    tell([ok("fine"), failure("broken", "mend it")])
    assert capsys.readouterr().out == "ok       fine\nfailure  broken\n         → mend it\n"


def test_doctor_fails_without_a_cluster(tmp_path: Path) -> None:
    """An API server out of reach is a finding and exit 1."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "current-context": "a",
                "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
                "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:9"}}],
                "users": [{"name": "a", "user": {"token": "x"}}],
            }
        )
    )
    result = typed("doctor", KUBECONFIG=str(kubeconfig))
    assert result.exit_code == 1
    assert "failure  API server http://127.0.0.1:9" in result.output
