"""Namespaces, configuration and the Deployment of igpipe itself. Pure."""

import hashlib
import ipaddress
import math
from pathlib import Path
from typing import Any, Final

import yaml

from igpipe.config import Config
from igpipe.deploy.place import Manifest, Place

_POD_SECURITY: Final = "pod-security.kubernetes.io"
_CONFIG_FILE: Final = "/etc/igpipe/igpipe.yaml"
_STATE: Final = "/var/lib/igpipe"
_USER: Final = 65532
_PORT: Final = 9469
_MARGIN: Final = 10
"""Seconds between igpipe's own grace and the kubelet's patience."""


def inside(config: Config) -> Config:
    """Change what differs inside a cluster: listen for the kubelet and Prometheus, keep state."""
    web = config.web.model_copy(
        update={
            "host": "0.0.0.0" if _is_loopback(config.web.host) else config.web.host,  # noqa: S104 - a Pod's own address is not known beforehand
            "port": config.web.port or _PORT,
        }
    )
    state_file = config.metrics.state_file or Path(_STATE, "state.json")
    metrics = config.metrics.model_copy(update={"state_file": state_file})
    cluster = config.cluster.model_copy(update={"kubeconfig": None, "context": ""})
    return config.model_copy(update={"web": web, "metrics": metrics, "cluster": cluster})


def namespaces(config: Config, place: Place) -> list[Manifest]:
    """
    Write both namespaces, and how many Pods the sessions' one may hold.

    Only the sessions' one allows privileged Pods. Twice the slots: the Pods of a predecessor may
    still be going.
    """
    sessions = config.cluster.namespace
    return [
        _namespace(place.namespace, "restricted", place),
        _namespace(sessions, "privileged", place),
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": _metadata(place, sessions),
            "spec": {"hard": {"pods": str(2 * config.rotation.max_slots)}},
        },
    ]


def config_map(config: Config, place: Place) -> Manifest:
    """Write what differs from the defaults; the defaults are the image's own."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(place, place.namespace),
        "data": {Path(_CONFIG_FILE).name: _values(inside(config))},
    }


def workload(config: Config, place: Place) -> list[Manifest]:
    """Write Deployment and Service."""
    config = inside(config)
    selector = {"app.kubernetes.io/name": "igpipe"}
    deployment: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(place, place.namespace),
        "spec": {
            "replicas": 1,
            # Two would not hurt, for one waits for the other's Lease; but nobody needs the second.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {"labels": place.labels, "annotations": _annotations(config)},
                "spec": _pod(config, place),
            },
        },
    }
    service: Manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(place, place.namespace),
        "spec": {
            "selector": selector,
            "ports": [{"name": "http", "port": config.web.port, "targetPort": "http"}],
        },
    }
    return [deployment, service]


def _namespace(name: str, level: str, place: Place) -> Manifest:
    modes = {f"{_POD_SECURITY}/{mode}": level for mode in ("enforce", "audit", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {**place.labels, **modes}},
    }


def _metadata(place: Place, namespace: str) -> Manifest:
    return {"name": "igpipe", "namespace": namespace, "labels": place.labels}


def _annotations(config: Config) -> dict[str, str]:
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(config.web.port),
        "prometheus.io/path": "/metrics",
        # A changed configuration restarts igpipe, which reads it at its start only.
        "igpipe.io/config": hashlib.sha256(_values(config).encode()).hexdigest()[:16],
    }


def _pod(config: Config, place: Place) -> Manifest:
    return {
        "serviceAccountName": place.account,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": math.ceil(config.service.stop_grace) + _MARGIN,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(config, place)],
        "volumes": [
            {"name": "config", "configMap": {"name": "igpipe"}},
            {"name": "state", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }


def _container(config: Config, place: Place) -> Manifest:
    return {
        "name": "igpipe",
        "image": place.image,
        "args": ["run", "--config", _CONFIG_FILE],
        "ports": [{"name": "http", "containerPort": config.web.port}],
        "livenessProbe": _probe("/healthz", 6),
        "readinessProbe": _probe("/readyz", 1),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"memory": "1Gi"},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": str(Path(_CONFIG_FILE).parent), "readOnly": True},
            {"name": "state", "mountPath": _STATE},
        ],
    }


def _probe(path: str, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": 10,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _values(config: Config) -> str:
    values: dict[str, Any] = config.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(values, sort_keys=False)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
