"""The ``pods/NAME/log`` endpoint."""

import math
from datetime import datetime

from aiohttp import web

from igpipe.sim.answers import bad_request
from igpipe.sim.kubelet import Kubelet
from igpipe.sim.log import Follower, stamped
from igpipe.sim.objects import Object


async def serve_log(
    request: web.Request, kubelet: Kubelet, pod: Object, now: float
) -> web.StreamResponse:
    """
    Send a container's log from where the request asks for, and go on if it follows.

    *now* is in unix seconds. Refuses with 400 while the container has not started.
    """
    log = kubelet.open_log(pod, _container(request, pod))
    times = request.query.get("timestamps") == "true"
    tail = request.query.get("tailLines")
    position = log.position(_since(request, now), None if tail is None else int(tail))
    if request.query.get("follow") != "true" or request.transport is None:
        lines = (stamped(at, line) if times else line for at, line in log.read(position))
        return web.Response(body=b"".join(lines), content_type="text/plain")
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    follower = Follower(log, request.transport, position, times=times)
    await follower.serve()
    if not follower.broken:
        await response.write_eof()
    return response


def _container(request: web.Request, pod: Object) -> str:
    names = [container["name"] for container in pod["spec"]["containers"]]
    named = request.query.get("container", "")
    if not named and len(names) > 1:
        raise bad_request(
            f"a container name must be specified for pod {pod['metadata']['name']}, "
            f"choose one of: {names}"
        )
    return named or str(names[0])


def _since(request: web.Request, now: float) -> float | None:
    """Read sinceTime, cut to whole seconds as the API server does, or sinceSeconds."""
    if "sinceSeconds" in request.query:
        return now - float(request.query["sinceSeconds"])
    if "sinceTime" not in request.query:
        return None
    try:
        since = datetime.fromisoformat(request.query["sinceTime"])
    except ValueError as exc:
        raise bad_request(f"invalid sinceTime: {exc}") from exc
    return float(math.floor(since.timestamp()))
