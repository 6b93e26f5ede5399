"""igpipe's own image: this machine's Python, what igpipe requires, and igpipe from its wheel."""

import hashlib
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.cluster.images import Image, Layer, build_layer, write_image
from tests.cluster.install import CACHE

IGPIPE: Final = "localhost/igpipe:wheel"
_PROJECT: Final = Path(__file__).parents[2]
_REQUIREMENTS: Final = _PROJECT / "requirements" / "run.txt"
_PYTHON: Final = Path(sys.executable).resolve()
_STDLIB: Final = Path(sysconfig.get_paths()["stdlib"])
_UNUSED: Final = {"__pycache__", "ensurepip", "idlelib", "lib2to3", "site-packages", "test"}
_APP: Final = "app"


def write_own_image(path: Path) -> None:
    """Build igpipe's wheel and write its image as an archive; the layer below is cached."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder)
        _unpack_wheel(app)
        entrypoint = [str(_PYTHON), "-m", "igpipe"]
        env = {"PYTHONPATH": f"/{_APP}", "PYTHONDONTWRITEBYTECODE": "1"}
        image = Image(IGPIPE, _below(app, _APP), {}, entrypoint, env)
        write_image(image, path, base=[_base()])


def prepare_own_image() -> None:
    """Make what of the image is cached, which takes a minute."""
    _base()


def _base() -> Layer:
    """Pack Python and the requirements, once."""
    content = _REQUIREMENTS.read_bytes() + sys.version.encode() + str(_PYTHON).encode()
    name = f"base-{hashlib.sha256(content).hexdigest()[:16]}"
    packed, digest = CACHE / f"{name}.tar.gz", CACHE / f"{name}.digest"
    if not digest.exists():
        with tempfile.TemporaryDirectory() as folder:
            _install_requirements(Path(folder))
            site = _below(Path(folder), _APP)
            layer = build_layer({**_python(site.values()), **site}, {})
        packed.write_bytes(layer.packed)
        digest.write_text(layer.digest)
    return Layer(digest.read_text(), packed.read_bytes())


def _unpack_wheel(app: Path) -> None:
    """Build the wheel as for a release; it has nothing to compile, so unpacking installs it."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(app), str(_PROJECT)], check=True)
    (wheel,) = app.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(app)
    wheel.unlink()


def _install_requirements(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-compile"]
    subprocess.run([*pip, "--target", str(folder), "-r", str(_REQUIREMENTS)], check=True)


def _python(site: Iterable[Path]) -> dict[str, Path]:
    """Collect the interpreter, its library, and what it and *site* are linked with, in place."""
    found = [_PYTHON]
    for path in _STDLIB.rglob("*"):
        if path.is_file() and not _UNUSED & set(path.relative_to(_STDLIB).parts):
            found.append(path)
    linked = [path for path in (*found, *site) if ".so" in path.suffixes or path == _PYTHON]
    return {str(path).lstrip("/"): path for path in (*found, *_libraries(linked))}


def _libraries(programs: list[Path]) -> Iterator[Path]:
    """Find the shared libraries that programs want, and the loader."""
    told = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    for line in told.splitlines():
        for word in line.split():
            if word.startswith("/") and not word.endswith(":"):
                yield Path(word)


def _below(folder: Path, prefix: str) -> dict[str, Path]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        f"{prefix}/{path.relative_to(folder)}": path
        for path in paths
        if "__pycache__" not in path.parts
    }
