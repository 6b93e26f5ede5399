"""Container images made by hand: one layer, as an archive that containerd imports."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tests.cluster.install import BIN, PACKAGES
from tests.cluster.node import PAUSE

PLAYER: Final = "localhost/ig:player"
WORKLOAD: Final = "localhost/workload:1"
TAP: Final = "localhost/igpipe-tap:1"
_RECORDINGS: Final = Path(__file__).parents[2] / "igpipe" / "sim" / "recordings"
_OCI: Final = "application/vnd.oci.image"
_APPLETS: Final = ("sh", "sleep", "cat", "true", "false", "seq", "echo", "ls", "yes", "head")


@dataclass(frozen=True, slots=True)
class Image:
    """Files by path, symbolic links by path, and what runs."""

    name: str
    files: Mapping[str, Path]
    links: Mapping[str, str]
    entrypoint: list[str]
    env: Mapping[str, str] = field(default_factory=dict)


def pause_image() -> Image:
    """Make what holds a Pod's namespaces."""
    return Image(PAUSE, {"pause": BIN / "pause"}, {}, ["/pause"])


def workload_image() -> Image:
    """Make an image of busybox, with a few of its commands."""
    links = {f"bin/{name}": "busybox" for name in _APPLETS}
    return Image(WORKLOAD, {"bin/busybox": PACKAGES["busybox-static"]}, links, ["/bin/sh"])


def player_image(name: str = PLAYER, others: Mapping[str, Path] = MappingProxyType({})) -> Image:
    """
    Make the stand-in for ig's image, with the recordings that it plays.

    *others* are played in place of those, by path: ``image/trace_open.jsonl``.
    """
    recordings = {
        path.relative_to(_RECORDINGS).as_posix(): path
        for path in _RECORDINGS.rglob("*")
        if path.suffix in {".jsonl", ".log"}
    }
    played = {f"recordings/{file}": path for file, path in {**recordings, **others}.items()}
    return Image(name, {"bin/ig": BIN / "ig", **played}, {}, ["ig"])


def tap_image() -> Image:
    """Make igpipe-tap's image as its Dockerfile does: the program alone."""
    return Image(TAP, {"igpipe-tap": BIN / "tap"}, {}, ["/igpipe-tap"])


@dataclass(frozen=True, slots=True)
class Layer:
    """Files, packed; ``digest`` is of what is in the package."""

    digest: str
    packed: bytes


def build_layer(files: Mapping[str, Path], links: Mapping[str, str]) -> Layer:
    """Pack files and symbolic links by path."""
    data = _pack(files, links)
    return Layer(_digest(data), gzip.compress(data, 1, mtime=0))


def write_image(image: Image, path: Path, *, base: Sequence[Layer] = ()) -> None:
    """Write *image*, on the layers of *base*, as an OCI archive."""
    layers = [*base, build_layer(image.files, image.links)]
    env = [f"{name}={value}" for name, value in {"PATH": "/bin", **image.env}.items()]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": image.entrypoint, "Env": env},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
    }
    blobs = _Blobs()
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": blobs.add(f"{_OCI}.config.v1+json", _json(config)),
        "layers": [blobs.add(f"{_OCI}.layer.v1.tar+gzip", layer.packed) for layer in layers],
    }
    entry = blobs.add(f"{_OCI}.manifest.v1+json", _json(manifest))
    entry["annotations"] = {"io.containerd.image.name": image.name}
    files = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json({"schemaVersion": 2, "manifests": [entry]}),
        **blobs.files,
    }
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            _add(archive, name, data)


class _Blobs:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def add(self, kind: str, data: bytes) -> dict[str, Any]:
        digest = _digest(data)
        self.files[f"blobs/{digest.replace(':', '/')}"] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}


def _pack(files: Mapping[str, Path], links: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, path in sorted(files.items()):
            _add(archive, name, path.read_bytes(), mode=path.stat().st_mode & 0o777)
        for name, target in sorted(links.items()):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
