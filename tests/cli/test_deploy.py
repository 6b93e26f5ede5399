"""Printing what installs igpipe."""

from pathlib import Path

import pytest
import yaml

from tests.cli.typed import typed

KINDS = {
    "rights": {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"},
    "policies": {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"},
    "kyverno": {"ValidatingPolicy"},
    "gatekeeper": {"ConstraintTemplate"},
}


@pytest.mark.parametrize("what", KINDS)
def test_each_part_is_printed(what: str) -> None:
    """The output is YAML that kubectl takes."""
    result = typed("deploy", what)
    assert result.exit_code == 0
    assert {found["kind"] for found in yaml.safe_load_all(result.output)} >= KINDS[what]


def test_configuration_and_options_are_in_it(tmp_path: Path) -> None:
    """The sessions' namespace is the configuration's; the rest are options."""
    file = tmp_path / "igpipe.yaml"
    file.write_text("cluster: {namespace: looks}\n")
    options = ("--namespace", "watch", "--account", "pipe", "--allow-user", "jane")
    output = typed("deploy", "policies", "-c", str(file), *options, "--deadline", "300").output
    assert "looks-pods" in output
    assert "system:serviceaccount:watch:pipe" in output
    assert "jane" in output
    assert "name: deadline\n    expression: '300'" in output
    rights = typed("deploy", "rights", "-c", str(file), *options).output
    assert "namespace: looks" in rights
