"""The API server's objects: one version counter, and per resource what is and what changed."""

import asyncio
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from igpipe.sim.answers import Refusal, another, changed, exists, not_found, too_old

Object = dict[str, Any]
"""A Kubernetes object; never changed in place once stored."""

HISTORY: Final = 4096
"""Changes per resource that a watch can still ask for."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change as a watch tells it; ``raw`` is the object's JSON."""

    version: int
    kind: str
    object: Object
    raw: bytes


class Store:
    """All resources of the cluster and the version counter they share."""

    def __init__(self) -> None:
        self.version = 100
        self._resources: dict[str, Resource] = {}

    def __getitem__(self, resource: str) -> "Resource":
        """Return a resource, empty at first."""
        if resource not in self._resources:
            self._resources[resource] = Resource(self, resource)
        return self._resources[resource]

    def uids(self, namespace: str) -> set[str]:
        """Collect the uids of all objects in a namespace."""
        resources = self._resources.values()
        return {c.object["metadata"]["uid"] for r in resources for c in r.all(namespace)}

    def tick(self) -> int:
        """Count one change of the cluster."""
        self.version += 1
        return self.version


class Resource:
    """The objects of one resource by namespace and name, and their latest changes."""

    def __init__(self, store: Store, name: str) -> None:
        self.name = name
        self._store = store
        self._objects: dict[tuple[str, str], Change] = {}
        self._history: list[Change] = []
        self._forgotten = store.version
        self._watchers: set[asyncio.Event] = set()

    def __len__(self) -> int:
        """Count the objects there are."""
        return len(self._objects)

    def all(self, namespace: str = "") -> list[Change]:
        """List what there is, in the order of namespace and name."""
        return [self._objects[key] for key in sorted(self._objects) if namespace in ("", key[0])]

    def find(self, namespace: str, name: str) -> Object | None:
        """Look an object up."""
        found = self._objects.get((namespace, name))
        return found.object if found else None

    def get(self, namespace: str, name: str) -> Object:
        """Look an object up; refuses with 404."""
        found = self.find(namespace, name)
        if found is None:
            raise not_found(self.name, name)
        return found

    def create(self, item: Object) -> Object:
        """Add an object; refuses with 409 if its name is taken."""
        self.check_free(item)
        return self._record("ADDED", item)

    def check_free(self, item: Object) -> None:
        """Refuse with 409 if the name of *item* is taken."""
        if _key(item) in self._objects:
            raise exists(self.name, item["metadata"]["name"])

    def replace(self, item: Object, *, version: str = "") -> Object:
        """
        Put *item* in place of the object of its name, if that is still at *version*.

        Where nothing differs nothing is written: the version stays.
        """
        now = self.get(*_key(item))
        current = now["metadata"]["resourceVersion"]
        if version and current != version:
            raise changed(self.name, item["metadata"]["name"])
        if now == {**item, "metadata": {**item["metadata"], "resourceVersion": current}}:
            return now
        return self._record("MODIFIED", item)

    def delete(self, namespace: str, name: str) -> Object:
        """Remove an object; refuses with 404."""
        return self._record("DELETED", self.get(namespace, name))

    def check(self, namespace: str, name: str, conditions: Mapping[str, str]) -> Object:
        """Look an object up; refuses with 409 if its uid or version is not that of *conditions*."""
        found = self.get(namespace, name)
        for key, told in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            wanted, has = conditions.get(key), found["metadata"][key]
            if wanted and wanted != has:
                raise another(
                    self.name,
                    name,
                    f"{told} in precondition: {wanted}",
                    f"{told} in object meta: {has}",
                )
        return found

    def since(self, version: int) -> list[Change]:
        """List the changes after *version*; refuses with 410 if some are forgotten."""
        if version < self._forgotten:
            raise too_old(version, self._forgotten)
        first = bisect_right(self._history, version, key=lambda change: change.version)
        return self._history[first:]

    def forget(self) -> None:
        """Drop the history, as a compaction does: older versions are too old from now on."""
        self._history.clear()
        self._forgotten = self._store.version

    def subscribe(self) -> "Subscription":
        """Return a context in which an event is set at every change."""
        return Subscription(self._watchers)

    def _record(self, kind: str, item: Object) -> Object:
        version = self._store.tick()
        stored = {**item, "metadata": {**item["metadata"], "resourceVersion": str(version)}}
        change = Change(version, kind, stored, orjson.dumps(stored))
        if kind == "DELETED":
            del self._objects[_key(item)]
        else:
            self._objects[_key(item)] = change
        self._history.append(change)
        if len(self._history) > 2 * HISTORY:
            self._forgotten = self._history[HISTORY - 1].version
            del self._history[:HISTORY]
        for watcher in self._watchers:
            watcher.set()
        return stored


class Subscription:
    """Holds an event that is set whenever a resource changes."""

    def __init__(self, watchers: set[asyncio.Event]) -> None:
        self._watchers = watchers
        self._event = asyncio.Event()

    def __enter__(self) -> asyncio.Event:
        """Start to listen."""
        self._watchers.add(self._event)
        return self._event

    def __exit__(self, *exc: object) -> None:
        """Stop to listen."""
        self._watchers.discard(self._event)


def page(changes: list[Change], limit: int, after: str) -> tuple[list[Change], str, int]:
    """Cut a list at *limit* after the name *after*: the page, where to go on, how many are left."""
    names = [_path(change.object) for change in changes]
    first = bisect_right(names, after) if after else 0
    end = first + limit if limit else len(changes)
    more = len(changes) - end
    return changes[first:end], names[end - 1] if more > 0 else "", max(more, 0)


def version_of(text: str) -> int:
    """Read a resource version; refuses with 400 what is none."""
    if not text.isdigit():
        raise Refusal(400, "BadRequest", f'Invalid value: "{text}": resourceVersion')
    return int(text)


def _key(item: Object) -> tuple[str, str]:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _path(item: Object) -> str:
    return "/".join(_key(item))
