"""
Helm, which renders the chart; ``python -m tests.servers.helm`` writes deploy/manifests with it.

The plain manifests are what the chart makes of its defaults, in files that kubectl applies in
order of their names.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from igpipe.deploy import write_yaml
from tests.deploy.charts import CHART, MANIFESTS, chart_digest
from tests.servers.install import install

Manifest = dict[str, Any]

KUBERNETES: Final = "1.34.4"
_FILES: Final = {
    "10-namespaces": (
        "igpipe's namespace, and the sessions' one.",
        ("Namespace", "ResourceQuota"),
    ),
    "20-rights": (
        "Exactly the rights to what igpipe calls.",
        ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
    ),
    "30-policies": (
        "What may become a Pod in the sessions' namespace.",
        ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    ),
    "40-config": ("igpipe's configuration, and the Lease that owns its sessions.",
                  ("ConfigMap", "Lease")),
    "50-igpipe": (
        "igpipe itself: unprivileged, one replica.",
        ("Deployment", "Service", "NetworkPolicy"),
    ),
}  # fmt: skip
_OF_HELM: Final = ("helm.sh/chart", "app.kubernetes.io/managed-by")


class Refused(Exception):
    """What Helm says when it says no."""


def render(
    values: Mapping[str, Any] | None = None,
    *options: str,
    namespace: str = "igpipe",
    tests: bool = False,
) -> list[Manifest]:
    """Render the chart as release ``igpipe``; Refused if Helm will not."""
    text = helm(
        "template", "igpipe", str(CHART), f"--namespace={namespace}", "--values=-",
        f"--kube-version={KUBERNETES}", *([] if tests else ["--skip-tests"]), *options,
        stdin=json.dumps(values or {}),
    )  # fmt: skip
    return [found for found in yaml.safe_load_all(text) if found]


def helm(*words: str, stdin: str = "") -> str:
    """Run Helm and return what it prints; Refused if it fails."""
    command = [str(install("helm") / "helm"), *words]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return done.stdout


def plain_manifests() -> dict[str, str]:
    """Write the text of each plain manifest by its name."""
    objects = render({"namespaces": {"own": True}})
    by_file = {name: _of(kinds, objects) for name, (_, kinds) in _FILES.items()}
    left = len(objects) - sum(map(len, by_file.values()))
    assert not left, f"{left} objects are in no file"
    made = f"Made of deploy/chart by `make manifests`; chart {chart_digest()}"
    return {
        f"{name}.yaml": f"# {_FILES[name][0]}\n# {made}\n{write_yaml(map(_plain, found))}"
        for name, found in by_file.items()
    }


def _of(kinds: tuple[str, ...], objects: Iterable[Manifest]) -> list[Manifest]:
    found = [item for item in objects if item["kind"] in kinds]
    return sorted(found, key=lambda item: kinds.index(item["kind"]))


def _plain(item: Manifest) -> Manifest:
    """Leave out what only Helm's releases have."""
    for holder in (item, item.get("spec", {}).get("template", {})):
        for label in _OF_HELM:
            holder.get("metadata", {}).get("labels", {}).pop(label, None)
    return item


def main() -> None:
    """Write the plain manifests."""
    MANIFESTS.mkdir(exist_ok=True)
    for old in MANIFESTS.glob("*.yaml"):
        old.unlink()
    for name, text in plain_manifests().items():
        (MANIFESTS / name).write_text(text)
        sys.stdout.write(f"deploy/manifests/{name}: written\n")


if __name__ == "__main__":
    main()
