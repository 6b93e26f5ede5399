"""The tap's image with gadget images in it, as its Dockerfile makes it of what ig has pulled."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.cluster.images import Image, tap_image

TAP_WITH_GADGETS: Final = "localhost/igpipe-tap:gadgets"
_OCI: Final = "application/vnd.oci.image"


def make_image(folder: Path, gadgets: Iterable[str]) -> Image:
    """Make it with an OCI layout below *folder* that holds an empty image of each name."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    entries = [_entry(blobs, gadget) for gadget in gadgets]
    _write(folder / "index.json", {"schemaVersion": 2, "manifests": entries})
    _write(folder / "oci-layout", {"imageLayoutVersion": "1.0.0"})
    files = {
        f"store/{path.relative_to(folder).as_posix()}": path
        for path in folder.rglob("*")
        if path.is_file()
    }
    made = tap_image()
    return replace(made, name=TAP_WITH_GADGETS, files={**made.files, **files})


def _entry(blobs: Path, gadget: str) -> dict[str, Any]:
    kind = f"{_OCI}.index.v1+json"
    text = _text({"schemaVersion": 2, "mediaType": kind, "manifests": [], "about": gadget})
    digest = hashlib.sha256(text).hexdigest()
    (blobs / digest).write_bytes(text)
    return {
        "mediaType": kind,
        "digest": f"sha256:{digest}",
        "size": len(text),
        "annotations": {"org.opencontainers.image.ref.name": gadget},
    }


def _write(path: Path, value: Any) -> None:
    path.write_bytes(_text(value))


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()
