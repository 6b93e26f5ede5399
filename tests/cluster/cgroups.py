"""Cgroups of the cluster's own, below which kubelets make theirs."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_PREFIX: Final = "igpipe-cluster-"
_PATIENCE: Final = 10.0


@contextmanager
def cgroups(names: list[str]) -> Iterator[dict[str, str]]:
    """
    Make a cgroup a name, in every hierarchy, for the length of the block; yield their paths.

    What a killed process left is swept first.
    """
    top = f"{_PREFIX}{os.getpid()}"
    for left in {path.name for tree in _hierarchies() for path in tree.glob(f"{_PREFIX}*")}:
        if not Path("/proc", left.removeprefix(_PREFIX)).exists():
            _remove(left)
    for tree in _hierarchies():
        for name in names:
            _make(tree, Path(top, name))
    try:
        yield {name: f"/{top}/{name}" for name in names}
    finally:
        _remove(top)


def processor_seconds(path: str) -> float:
    """Tell how much processor time a cgroup's processes have used, those that ended among them."""
    inside = path.lstrip("/")
    if (_ROOT / "cgroup.controllers").exists():
        first, *_ = (_ROOT / inside / "cpu.stat").read_text().splitlines()
        return int(first.split()[1]) / 1e6
    return int((_ROOT / "cpuacct" / inside / "cpuacct.usage").read_text()) / 1e9


def _hierarchies() -> list[Path]:
    """List the roots of cgroup v1's hierarchies, or the one of cgroup v2."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [tree for tree in _ROOT.iterdir() if tree.is_dir() and not tree.is_symlink()]


def _make(tree: Path, path: Path) -> None:
    """Make a cgroup and, in cpuset, let it have its parent's processors, without which none."""
    made = tree
    for part in path.parts:
        parent, made = made, made / part
        made.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (made / name).exists() and tree.name == "cpuset":
                (made / name).write_text((parent / name).read_text())


def _remove(top: str) -> None:
    """Remove a tree of cgroups, the deepest first; processes that just died keep it a moment."""
    late = time.monotonic() + _PATIENCE
    while left := [path for tree in _hierarchies() if (path := tree / top).exists()]:
        for path in left:
            folders = [Path(folder) for folder, _, _ in os.walk(path, topdown=False)]
            for folder in folders:
                _try_remove(folder)
        if time.monotonic() > late:
            raise OSError(f"cgroups are still in use: {left}")
        time.sleep(0.05)


def _try_remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
