"""
What installs igpipe, made from the code that runs: rights, policies, plain manifests. Pure.

Rights come from ``kube.verbs``, policies and bounds from the session's manifest and the
configuration, so that what is granted and what is done cannot drift apart.
"""

from igpipe.deploy.engines import gatekeeper, kyverno
from igpipe.deploy.files import deploy_files, manifests, write_yaml
from igpipe.deploy.place import Place
from igpipe.deploy.policy import policies
from igpipe.deploy.rights import rights
from igpipe.deploy.workload import config_map, namespaces, workload

__all__ = [
    "Place",
    "config_map",
    "deploy_files",
    "gatekeeper",
    "kyverno",
    "manifests",
    "namespaces",
    "policies",
    "rights",
    "workload",
    "write_yaml",
]
