"""Configurations whose sessions differ, each with a namespace and policies of its own."""

import json
from typing import Any, Final

from igpipe.config import Config
from igpipe.gadgets import GADGETS

TAP_IMAGE: Final = "mirror.example/igpipe-tap:1"

VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "igpipe-sessions": {},
    "image-baked": {"session": {"gadget_store": "baked"}},
    "image-host-path": {"session": {"gadget_store": "host_path"}},
    "sysadmin-empty-dir": {"session": {"profile": "sysadmin"}},
    "sysadmin-baked": {"session": {"profile": "sysadmin", "gadget_store": "baked"}},
    "sysadmin-host-path": {"session": {"profile": "sysadmin", "gadget_store": "host_path"}},
    "builtin": {"session": {"generation": "builtin"}},
    "builtin-sysadmin": {"session": {"generation": "builtin", "profile": "sysadmin"}},
    "old-gadgets": {"session": {"gadget_version": "v0.40.0"}},
    "tapped": {"session": {"tap_image": TAP_IMAGE}},
    "tapped-only": {
        "session": {
            "tap_image": TAP_IMAGE,
            "transport": "tap",
            "tap_filter": True,
            "exclude_namespaces": ["secret"],
        },
    },
    "tapped-store": {"session": {"tap_image": TAP_IMAGE, "gadget_store": "tap"}},
    "tapped-volume": {"session": {"tap_image": TAP_IMAGE, "tap_volume": "image"}},
    "tapped-builtin": {"session": {"tap_image": TAP_IMAGE, "generation": "builtin"}},
    "every-gadget": {"gadgets": list(GADGETS)},
    "other-options": {
        "session": {
            "image": "mirror.example:5000/ig@sha256:" + "0" * 64,
            "gadget_registry": "mirror.example:5000/gadgets",
            "verify_image": False,
            "keep_args": False,
            "runtime_socket": "/run/k3s/containerd/containerd.sock",
            "exclude_namespaces": ["secret", "kube-system"],
            "image_pull_secrets": ["pull"],
            "priority_class": "system-node-critical",
            "labels": {"team": "x"},
            "annotations": {"a": "b"},
            "duration": "20m",
        },
        "gadgets": [
            {"name": "trace_exec", "params": {"paths": "true", "k8s-namespace": "shop"}},
            {"name": "my_own", "image": "mirror.example:5000/mine/own:1", "annotate": {"a": "b,c"}},
        ],
        "nodes": {"exclude": ["gpu-*"]},
    },
}


DOOMED: Final = "doomed"
"""A namespace that a test removes."""


def make_config(namespace: str) -> Config:
    """Return the configuration of a variant."""
    return Config.model_validate_json(json.dumps(make_tree(namespace)))


def make_tree(namespace: str, tree: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return it, or *tree*, as plain data; its sessions have a namespace of their own."""
    return {**(tree or VARIANTS.get(namespace, {})), "cluster": {"namespace": namespace}}
