"""Rotates a container's log as its kubelet does, but now: the file renamed, the runtime told."""

import subprocess
import time
from typing import Final

from tests.cluster.install import PACKAGES
from tests.cluster.rig import NAMESPACE, Rig, until

_METHOD: Final = "http://localhost/runtime.v1.RuntimeService/ReopenContainerLog"
_KIND: Final = "containerd://"


def rotate(rig: Rig, node: str, pod: str, container: str) -> None:
    """Rotate the log of a running container; returns when the new file is there."""
    found = rig.api.ask("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}")
    (number,) = (
        status["containerID"].removeprefix(_KIND)
        for status in found["status"]["containerStatuses"]
        if status["name"] == container
    )
    place = rig.places[node]
    folder = place.pod_logs / f"{NAMESPACE}_{pod}_{found['metadata']['uid']}" / container
    log = folder / "0.log"
    log.rename(folder / f"0.log.{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns()}")
    _call(place.folder / "run" / "containerd" / "containerd.sock", number.encode())
    until(log.exists, "the new log")


def _call(socket: object, container: bytes) -> None:
    """Make the one call of gRPC: a request with one field, a text of less than 128 bytes."""
    message = b"\x0a" + bytes([len(container)]) + container
    command = [
        str(PACKAGES["curl"]), "--silent", "--show-error", "--http2-prior-knowledge",
        "--unix-socket", str(socket), "--header", "content-type: application/grpc",
        "--header", "te: trailers", "--data-binary", "@-", "--output", "/dev/null", _METHOD,
    ]  # fmt: skip
    framed = b"\0" + len(message).to_bytes(4, "big") + message
    subprocess.run(command, input=framed, check=True)
