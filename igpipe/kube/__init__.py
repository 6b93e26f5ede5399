"""The cluster: the only room that knows how Kubernetes' API server is spoken to."""

from igpipe.kube.cluster import Cluster, open_cluster

__all__ = ["Cluster", "open_cluster"]
