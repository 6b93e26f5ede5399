"""Creating session Pods as igpipe does, or as somebody else might."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from igpipe.deploy import Place
from igpipe.sessions.manifest import build_manifest
from igpipe.sessions.plan import Plan, lease_name
from tests.cluster.guard.mutations import Pod
from tests.cluster.guard.plane import Plane, Refused
from tests.cluster.guard.variants import make_config

PLACE = Place()
IGPIPE = PLACE.creators[0]
NODE = "node-a"


class Sessions:
    """Creates session Pods as igpipe does."""

    def __init__(self, plane: Plane, namespace: str) -> None:
        self.plane = plane
        self.config = make_config(namespace)
        config = self.config
        self.plan = Plan(config.cluster, config.rotation, config.session, config.gadgets)
        self.pods = f"/api/v1/namespaces/{namespace}/pods"
        leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        lease = {"metadata": {"name": lease_name(config.cluster.instance)}}
        self.lease = f"{leases}/{lease_name(config.cluster.instance)}"
        try:
            self.owner = plane.ask("POST", leases, lease)["metadata"]["uid"]
        except Refused:
            self.owner = plane.ask("GET", self.lease)["metadata"]["uid"]

    def pod(self, node: str = NODE) -> Pod:
        """Build the Pod that igpipe would."""
        return build_manifest(self.plan, node, "session", self.owner)

    def create(self, pod: Pod, *, user: str = IGPIPE, dry_run: bool = False) -> Pod:
        """Create it as *user*."""
        query = "?dryRun=All" if dry_run else ""
        return self.plane.ask("POST", self.pods + query, pod, user=user)

    def refusal(self, pod: Pod, *, user: str = IGPIPE) -> Refused:
        """Tell why it is refused."""
        with pytest.raises(Refused) as refused:
            self.create(pod, user=user)
        return refused.value

    @contextmanager
    def running(self) -> Iterator[str]:
        """Create a Pod for the length of the block, and give its path."""
        path = f"{self.pods}/{self.create(self.pod())['metadata']['name']}"
        try:
            yield path
        finally:
            with suppress(Refused):
                self.plane.ask("DELETE", f"{path}?gracePeriodSeconds=0")

    def is_going(self, path: str) -> bool:
        """Tell whether a Pod is being deleted, or gone."""
        try:
            return "deletionTimestamp" in self.plane.ask("GET", path)["metadata"]
        except Refused as refused:
            return refused.code == 404

    def remove(self, name: str) -> None:
        """Remove a Pod at once, for no kubelet does."""
        self.plane.ask("DELETE", f"{self.pods}/{name}?gracePeriodSeconds=0")
