"""The files of deploy/."""

import re
import subprocess
from pathlib import Path

import pytest

from igpipe.deploy import deploy_files, write_yaml
from tests.deploy.charts import ROOT

FILES = deploy_files()
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()


@pytest.mark.parametrize("path", FILES)
def test_the_repository_has_each(path: str) -> None:
    """What is written there is what the code makes."""
    assert (ROOT / path).read_text() == FILES[path]


def test_yaml_is_for_people() -> None:
    """No anchors, and texts of several lines as blocks."""
    shared = ["x"]
    text = write_yaml([{"a": shared, "b": shared, "c": "one\ntwo\n"}])
    assert text == "---\na:\n- x\nb:\n- x\nc: |\n  one\n  two\n"


def test_the_taps_image_is_the_program_alone() -> None:
    """From scratch, as nobody, with the pinned modules, and no address of a proxy."""
    text = (ROOT / "deploy/Dockerfile.tap").read_text()
    last = text.rpartition("FROM")[2]
    assert last.split() == [
        "scratch", "COPY", "--from=build", "/igpipe-tap", "/igpipe-tap",
        "USER", "65532:65532", "ENTRYPOINT", '["/igpipe-tap"]',
    ]  # fmt: skip
    assert "go.sum" in text
    assert "://" not in text


@pytest.mark.parametrize(
    ("gadgets", "called", "status"),
    [
        (
            ["m:5000/g/trace_exec:v1@sha256:0a"],
            "image pull m:5000/g/trace_exec@sha256:0a\n"
            "image tag m:5000/g/trace_exec@sha256:0a m:5000/g/trace_exec:v1\nimage list\n",
            0,
        ),
        (["m:5000/g/trace_exec:v1"], "", 2),
        (["m:5000/g/trace_exec@sha256:0a"], "", 2),
        ([], "", 2),
    ],
)
def test_gadget_images_are_pinned_and_called_by_their_tags(
    tmp_path: Path, gadgets: list[str], called: str, status: int
) -> None:
    """What goes into the tap's image is pulled by digest; sessions ask for it by its tag."""
    ig, log = tmp_path / "ig", tmp_path / "log"
    log.touch()
    ig.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    ig.chmod(0o755)
    done = subprocess.run(
        ["sh", str(ROOT / "deploy/gadgets.sh"), *gadgets],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, log.read_text()) == (status, called)


def test_the_image_runs_as_nobody_and_is_pinned() -> None:
    """No root, every package by its hash, from whichever index pip is set to."""
    last = DOCKERFILE.rpartition("FROM")[2]
    assert re.search(r"^USER 65532", last, re.MULTILINE)
    installs = re.findall(r"pip install ([^\\\n]*)", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in words or "--no-deps" in words for words in installs)
    assert "://" not in DOCKERFILE
    assert "--index" not in DOCKERFILE
