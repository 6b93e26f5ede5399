"""The file: whole records, rotation, and what the disk may do."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.config import FileSink
from igpipe.errors import SinkDenied, SinkUnavailable
from igpipe.files import append, is_full
from igpipe.sinks.file import file_sink
from igpipe.sinks.lines import LineSink
from igpipe.sinks.ports import DELIVERED
from tests.sinks.samples import batch, batch_of, record


def sink_of(path: Path, *, max_bytes: int = 2**20, max_files: int = 5) -> LineSink:
    """Make a file sink."""
    return file_sink(FileSink(name="f", path=path, max_bytes=max_bytes, max_files=max_files))


def contents(directory: Path) -> dict[str, bytes]:
    """Read all files of a directory."""
    return {file.name: file.read_bytes() for file in directory.iterdir()}


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond *size*, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


async def test_records_are_appended_a_line_each(tmp_path: Path) -> None:
    """The file holds the records as they are."""
    sink = sink_of(tmp_path / "out")
    for first in (0, 2):
        packer = sink.packer(sink.request_bytes, 0)
        packer.add(0, batch(first, 2))
        (parcel,) = packer.parcels()
        assert await sink.deliver(parcel) == [DELIVERED, DELIVERED]
    assert (tmp_path / "out").read_bytes().split(b"\n") == [*map(record, range(4)), b""]


async def test_it_rotates_before_it_grows_too_large(tmp_path: Path) -> None:
    """The newest rotated file is .1, the oldest is dropped, no record is cut."""
    path = tmp_path / "out"
    sink = sink_of(path, max_bytes=2**16, max_files=2)
    line = record(0, event={"args": "x" * 800})
    count = 2**16 // (len(line) + 1)
    for _ in range(5):
        packer = sink.packer(sink.request_bytes, 0)
        packer.add(0, batch_of([line] * count))
        for parcel in packer.parcels():
            await sink.deliver(parcel)
    assert contents(tmp_path) == dict.fromkeys(("out", "out.1", "out.2"), (line + b"\n") * count)


def test_a_record_longer_than_a_file_may_be_goes_alone(tmp_path: Path) -> None:
    """It is written, not dropped."""
    packer = sink_of(tmp_path / "out", max_bytes=2**16).packer(2**16, 0)
    packer.add(0, batch_of([record(0), record(1, event={"args": "x" * 2**17}), record(2)]))
    assert [parcel.count for parcel in packer.parcels()] == [1, 1, 1]
    assert packer.refused() == []


def test_an_empty_or_missing_file_is_not_rotated(tmp_path: Path) -> None:
    """There is nothing to keep."""
    path = tmp_path / "out"
    assert not is_full(path, 100, 10)
    path.touch()
    assert not is_full(path, 100, 10)
    path.write_bytes(b"a")
    assert is_full(path, 10, 10)


@pytest.mark.parametrize("size", [100, 150, 199])
def test_a_full_disk_tears_no_line(tmp_path: Path, size: int) -> None:
    """What did not fit as a whole is not there at all."""
    path = tmp_path / "out"
    append(path, b"x" * 99 + b"\n")
    with disk_of(size), pytest.raises(OSError, match="File too large"):
        append(path, b"y" * 99 + b"\n")
    assert path.read_bytes() == b"x" * 99 + b"\n"
    append(path, b"y" * 99 + b"\n")
    assert path.stat().st_size == 200


async def test_a_full_disk_is_tried_again(tmp_path: Path) -> None:
    """It may have room later."""
    sink = sink_of(tmp_path / "out")
    packer = sink.packer(2**20, 0)
    packer.add(0, batch())
    (parcel,) = packer.parcels()
    with disk_of(50), pytest.raises(SinkUnavailable, match="File too large"):
        await sink.deliver(parcel)
    assert await sink.deliver(parcel) == [DELIVERED]


@given(whole=st.lists(st.binary(max_size=20), max_size=5), torn=st.binary(max_size=2**17))
def test_a_torn_line_of_a_crash_is_removed(
    tmp_path_factory: pytest.TempPathFactory, whole: list[bytes], torn: bytes
) -> None:
    """Whatever stands behind the last newline goes before the next write."""
    path = tmp_path_factory.mktemp("sink") / "out"
    lines = b"".join(line.replace(b"\n", b"") + b"\n" for line in whole)
    path.write_bytes(lines + torn.replace(b"\n", b"x"))
    append(path, b"new\n")
    assert path.read_bytes() == lines + b"new\n"


async def test_a_moved_file_is_made_anew(tmp_path: Path) -> None:
    """Somebody else may rotate it."""
    sink = sink_of(tmp_path / "out")
    packer = sink.packer(2**20, 0)
    packer.add(0, batch())
    (parcel,) = packer.parcels()
    await sink.deliver(parcel)
    (tmp_path / "out").rename(tmp_path / "moved")
    await sink.deliver(parcel)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "moved").read_bytes() == record() + b"\n"


@pytest.mark.parametrize("path", ["missing/out", "."])
async def test_an_unusable_path_needs_somebody_to_act(tmp_path: Path, path: str) -> None:
    """A directory that is not there does not come by itself."""
    with pytest.raises(SinkDenied, match=r"No such file|Is a directory"):
        await sink_of(tmp_path / path).probe()


async def test_probe_writes_nothing(tmp_path: Path) -> None:
    """Trying a file out leaves its records alone."""
    path = tmp_path / "out"
    path.write_bytes(b"a\n")
    await sink_of(path).probe()
    assert contents(tmp_path) == {"out": b"a\n"}
