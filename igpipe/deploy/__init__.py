"""
What installs igpipe, made from the code that runs: rights, policies, the chart's data. Pure.

Rights come from ``kube.verbs``, policies and bounds from the session's manifest and the
configuration, so that what is granted and what is done cannot drift apart. The chart in
``deploy/chart`` is the one place that puts an installation together.
"""

from igpipe.deploy.engines import gatekeeper, kyverno
from igpipe.deploy.files import deploy_files
from igpipe.deploy.place import Place
from igpipe.deploy.policy import policies
from igpipe.deploy.rights import rights
from igpipe.deploy.write import write_yaml

__all__ = [
    "Place",
    "deploy_files",
    "gatekeeper",
    "kyverno",
    "policies",
    "rights",
    "write_yaml",
]
