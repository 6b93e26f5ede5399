"""What each verb does to the cluster's objects, without HTTP."""

import random
from typing import Any, Final
from uuid import UUID

from igpipe.sim.admission import check_namespace, check_update, new_object, new_pod
from igpipe.sim.answers import success
from igpipe.sim.kubelet import Kubelet
from igpipe.sim.objects import Object
from igpipe.sim.world import World

_ORPHAN_SECONDS: Final = 2.0
"""How soon the garbage collector finds a Pod whose owner does not exist."""


class Verbs:
    """Create, update and delete; whatever cannot be raises a Refusal."""

    def __init__(self, world: World, kubelet: Kubelet) -> None:
        self._world = world
        self._kubelet = kubelet
        self._rng = random.Random(f"{world.config.seed}/uids")  # noqa: S311 (a simulation)

    def create(self, resource: str, namespace: str, body: Any, *, dry_run: bool) -> Object:
        """Create an object; a dry run checks the same and keeps nothing."""
        world = self._world
        check_namespace(namespace, world.config.namespaces)
        now = world.clock.rfc3339(world.clock.now())
        item = new_object(body, resource, namespace, now=now, uid=self._uid())
        if resource == "pods":
            item = new_pod(item, restricted=namespace in world.config.restricted)
        if dry_run:
            world.store[resource].check_free(item)
            return item
        item = world.store[resource].create(item)
        if resource == "pods":
            self._kubelet.admit(item)
            world.timers.after(_ORPHAN_SECONDS, lambda: self._collect(item))
        return item

    def update(self, resource: str, namespace: str, name: str, body: Any) -> Object:
        """Replace an object, if the body's version is still its version or is left out."""
        store = self._world.store[resource]
        body = check_update(body, name)
        now = store.get(namespace, name)
        kept = {key: now["metadata"][key] for key in ("uid", "creationTimestamp", "name")}
        version = body["metadata"].get("resourceVersion", "")
        metadata = {**body["metadata"], **kept, "namespace": namespace}
        return store.replace({**body, "metadata": metadata}, version=version)

    def delete(self, resource: str, namespace: str, name: str, options: Any) -> Object:
        """Delete an object, if it is the one of the preconditions; a Pod takes its grace."""
        options = options if isinstance(options, dict) else {}
        conditions = options.get("preconditions") or {}
        item = self._world.store[resource].check(namespace, name, conditions)
        if resource == "pods":
            grace = options.get("gracePeriodSeconds")
            if grace is None:
                grace = item["spec"]["terminationGracePeriodSeconds"]
            return self._kubelet.terminate(item, float(grace))
        self._world.store[resource].delete(namespace, name)
        for change in self._world.store["pods"].all(namespace):
            self._collect(change.object)
        return success()

    def _collect(self, item: Object) -> None:
        """Delete a Pod whose owners are all gone, as the garbage collector does."""
        metadata = item["metadata"]
        owners = _owners(item)
        now = self._world.store["pods"].find(metadata["namespace"], metadata["name"])
        if now is None or now["metadata"]["uid"] != metadata["uid"] or not owners:
            return
        if not owners & self._world.store.uids(metadata["namespace"]):
            self._kubelet.terminate(now, float(now["spec"]["terminationGracePeriodSeconds"]))

    def _uid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))


def _owners(item: Object) -> set[str]:
    return {owner["uid"] for owner in item["metadata"].get("ownerReferences") or []}
