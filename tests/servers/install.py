"""
Gets the servers that the tests run, each once, into the cache.

Needs only Python, and ``go``, ``mvn``, ``npm`` or ``apt-get`` for the servers that come by them.
What is built depends on the files beside this one alone: versions and hashes are in them.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "igpipe" / "servers"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to get a server: *make* fills a folder from the *inputs*, files beside this one."""

    name: str
    version: str
    inputs: tuple[str, ...]
    make: Callable[[Path], None]

    @property
    def folder(self) -> Path:
        """Where the finished server is."""
        return CACHE / f"{self.name}-{self.version}"

    def digest(self) -> str:
        """Tell two states of the inputs apart."""
        digest = hashlib.sha256()
        for name in self.inputs:
            digest.update((HERE / name).read_bytes())
        return digest.hexdigest()


def install(name: str) -> Path:
    """Get server *name* unless it is there, and return its folder. Others wait meanwhile."""
    recipe = RECIPES[name]
    with _alone(name):
        stamp = recipe.folder / ".installed"
        if stamp.exists() and stamp.read_text() == recipe.digest():
            return recipe.folder
        began = time.monotonic()
        _say(f"{name} {recipe.version}: getting it, which may take minutes")
        part = CACHE / f".{name}.part"
        for old in (part, recipe.folder):
            shutil.rmtree(old, ignore_errors=True)
        part.mkdir(parents=True)
        recipe.make(part)
        part.rename(recipe.folder)
        stamp.write_text(recipe.digest())
        _say(f"{name} {recipe.version}: took {time.monotonic() - began:.0f} s")
    return recipe.folder


def main() -> None:
    """Get the servers named as arguments, or all."""
    for name in sys.argv[1:] or RECIPES:
        install(name)


def _loki(part: Path) -> None:
    _go_build(HERE / "loki", part / "loki", "github.com/grafana/loki/v3/cmd/loki")


def _helm(part: Path) -> None:
    _go_build(HERE / "helm", part / "helm", "helm.sh/helm/v3/cmd/helm")


def _collector(part: Path) -> None:
    for name in ("go.mod", "go.sum", "builder.yaml"):
        shutil.copy(HERE / "collector" / name, part)
    generate = ["--config", "builder.yaml", "--skip-get-modules", "--skip-compilation"]
    _run(["go", "tool", "builder", *generate], part, _GO)
    _go_build(part, part / "otelcol", ".")


def _opensearch(part: Path) -> None:
    copy = ["dependency:copy-dependencies", f"-DoutputDirectory={part / 'lib'}"]
    _run(["mvn", "--batch-mode", "--quiet", *copy], HERE / "opensearch")


def _prometheus(part: Path) -> None:
    """Unpack Debian's package beside the system's: installing it would start a server."""
    download = ["apt-get", "--quiet", "download", "prometheus"]
    try:
        _run(download, part)
    except subprocess.CalledProcessError:  # no lists of packages yet
        _run(["apt-get", "--quiet", "--quiet", "update"], part)
        _run(download, part)
    (package,) = part.glob("*.deb")
    _run(["dpkg-deb", "--extract", package.name, "."], part)


def _chromium(part: Path) -> None:
    """Install Debian's browser into the system: it has too many libraries to stand beside it."""
    packages = ["chromium", "fonts-dejavu-core"]
    install = ["apt-get", "--quiet", "--quiet", "--yes", "--no-install-recommends", "install"]
    try:
        _run([*install, *packages], part)
    except subprocess.CalledProcessError:  # no lists of packages yet
        _run(["apt-get", "--quiet", "--quiet", "update"], part)
        _run([*install, *packages], part)


def _axe(part: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "axe" / name, part)
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], part)


def _go_build(module: Path, target: Path, package: str) -> None:
    build = ["go", "build", "-trimpath", "-ldflags=-s -w", "-p=2", "-o", str(target), package]
    _run(build, module, _GO)


def _run(command: list[str], cwd: Path, more: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, cwd=cwd, env={**os.environ, **(more or {})}, check=True)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Hold the lock of one server."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


_GO = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("prometheus", "debian", (), _prometheus),
        Recipe("chromium", "debian", (), _chromium),
        Recipe("axe", "4.14.1", ("axe/package.json", "axe/package-lock.json"), _axe),
        Recipe("opensearch", "2.19.1", ("opensearch/pom.xml",), _opensearch),
        Recipe(
            "collector",
            "0.162.0",
            ("collector/go.mod", "collector/go.sum", "collector/builder.yaml"),
            _collector,
        ),
        Recipe("loki", "3.7.8", ("loki/go.mod", "loki/go.sum"), _loki),
        Recipe("helm", "3.22.0", ("helm/go.mod", "helm/go.sum"), _helm),
    )
}

if __name__ == "__main__":
    main()
