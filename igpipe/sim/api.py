"""The API server's HTTP face: reads requests, draws faults, counts calls, words the answers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import web

from igpipe.sim.answers import Refusal, bad_request, forbidden
from igpipe.sim.logs import serve_log
from igpipe.sim.nodes import Nodes
from igpipe.sim.objects import Object, page, version_of
from igpipe.sim.paths import KINDS, Target, parse_path
from igpipe.sim.selector import parse_selector
from igpipe.sim.verbs import Verbs
from igpipe.sim.watch import Watch, WatchQuery
from igpipe.sim.world import World

_VERBS: Final = {"POST": "create", "PUT": "update", "DELETE": "delete"}
_HANGS: Final = 120.0


class Api:
    """
    Answers requests.

    ``calls`` counts them by verb and resource as rights name them: ``create pods``,
    ``get pods/log``, ``watch nodes``.
    """

    def __init__(self, world: World, nodes: Nodes) -> None:
        self.calls: Counter[str] = Counter()
        self._world = world
        self._kubelet = nodes.kubelet
        self._verbs = Verbs(world, nodes.kubelet)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; a refusal is a Status body."""
        try:
            return await self._handle(request)
        except Refusal as refusal:
            return _refused(refusal)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._authenticate(request)
        if request.path == "/version":
            self.calls["get version"] += 1
            return _json({"major": "1", "minor": "34", "gitVersion": self._world.config.version})
        target = parse_path(request.path)
        verb = _verb(request, target)
        self.calls[f"{verb} {target.full}"] += 1
        if f"{verb} {target.full}" in self._world.config.denied:
            raise forbidden(target.full, f'User "sim" cannot {verb} resource "{target.full}"')
        await self._suffer(request, verb, target)
        return await self._answer(request, verb, target)

    def _authenticate(self, request: web.Request) -> None:
        token = self._world.config.token
        if token and request.headers.get("Authorization") != f"Bearer {token}":
            raise Refusal(401, "Unauthorized", "Unauthorized")

    async def _suffer(self, request: web.Request, verb: str, target: Target) -> None:
        """Let a fault befall the request; one that hangs may have been carried out."""
        fault = self._world.plan.api()
        if not fault:
            return
        self._world.note(fault, detail=f"{verb} {target.full}")
        if fault == "api_429":
            message = "the server has received too many requests and has asked us to try again"
            raise Refusal(429, "TooManyRequests", message, retry_after=1)
        if fault == "api_500":
            raise Refusal(500, "InternalError", "Internal error occurred: etcdserver: timeout")
        if verb in _VERBS.values() and self.calls.total() % 2:
            await self._answer(request, verb, target)
        await asyncio.sleep(_HANGS)
        raise Refusal(504, "Timeout", "Timeout: request did not complete within the allotted time")

    async def _answer(self, request: web.Request, verb: str, target: Target) -> web.StreamResponse:
        if verb == "watch":
            return await Watch(self._world, self._watch(request, target), request).serve()
        if verb == "list":
            return self._list(request, target)
        if verb == "get":
            return await self._get(request, target)
        return await self._write(request, verb, target)

    async def _get(self, request: web.Request, target: Target) -> web.StreamResponse:
        item = self._world.store[target.resource].get(target.namespace, target.name)
        if target.full == "pods/log":
            return await serve_log(request, self._kubelet, item, self._world.clock.wall())
        return _json(item)

    async def _write(self, request: web.Request, verb: str, target: Target) -> web.StreamResponse:
        body = _parse(await request.read())
        if target.resource == "selfsubjectaccessreviews":
            return _json(self._review(body), status=201)
        dry_run = request.query.get("dryRun") == "All"
        where = (target.resource, target.namespace)
        if verb == "create":
            return _json(self._verbs.create(*where, body, dry_run=dry_run), status=201)
        if verb == "update":
            return _json(self._verbs.update(*where, target.name, body))
        options = dict(body) if isinstance(body, dict) else {}
        if "gracePeriodSeconds" in request.query:
            options["gracePeriodSeconds"] = int(request.query["gracePeriodSeconds"])
        return _json(self._verbs.delete(*where, target.name, options))

    def _review(self, body: Any) -> Object:
        asked = ((body or {}).get("spec") or {}).get("resourceAttributes") or {}
        resource = asked.get("resource", "")
        if asked.get("subresource"):
            resource = f"{resource}/{asked['subresource']}"
        allowed = f"{asked.get('verb', '')} {resource}" not in self._world.config.denied
        return {**body, "status": {"allowed": allowed}}

    def _list(self, request: web.Request, target: Target) -> web.StreamResponse:
        matches = _matches(request)
        resource = self._world.store[target.resource]
        found = [c for c in resource.all(target.namespace) if matches(c.object)]
        limit = int(request.query.get("limit") or 0)
        shown, token, left = page(found, limit, request.query.get("continue", ""))
        metadata: Object = {"resourceVersion": str(self._world.store.version)}
        if token:
            metadata |= {"continue": token, "remainingItemCount": left}
        kind = KINDS[target.resource]
        body = b'{"kind":"%bList","apiVersion":"%b","metadata":%b,"items":[%b]}' % (
            kind.name.encode(),
            kind.api_version.encode(),
            orjson.dumps(metadata),
            b",".join(change.raw for change in shown),
        )
        return web.Response(body=body, content_type="application/json")

    def _watch(self, request: web.Request, target: Target) -> WatchQuery:
        matches = _matches(request)
        query = request.query
        version = version_of(query.get("resourceVersion") or "0")
        return WatchQuery(
            resource=self._world.store[target.resource],
            matches=lambda item: (
                matches(item) and target.namespace in ("", item["metadata"].get("namespace"))
            ),
            version=version or None,
            bookmarks=query.get("allowWatchBookmarks") in ("true", "1"),
            seconds=float(query.get("timeoutSeconds") or 1800),
        )


def _verb(request: web.Request, target: Target) -> str:
    if request.method == "GET":
        if request.query.get("watch") in ("true", "1", "True"):
            return "watch"
        return "get" if target.name else "list"
    if request.method not in _VERBS:
        raise Refusal(405, "MethodNotAllowed", "the server does not allow this method")
    return _VERBS[request.method]


def _matches(request: web.Request) -> Callable[[Object], bool]:
    labels = parse_selector(request.query.get("labelSelector", ""))
    fields = parse_selector(request.query.get("fieldSelector", ""))
    return lambda item: labels(item["metadata"].get("labels") or {}) and fields(_fields(item))


def _fields(item: Object) -> dict[str, str]:
    metadata = item["metadata"]
    return {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata.get("namespace", ""),
        "spec.nodeName": (item.get("spec") or {}).get("nodeName", ""),
    }


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError as exc:
        raise bad_request(f"the object provided is unrecognized: {exc}") from exc


def _json(item: Object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(item), status=status, content_type="application/json")


def _refused(refusal: Refusal) -> web.Response:
    response = _json(refusal.body(), refusal.code)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
