"""Whatever happens to its files: never a crash, never a wrong record, every loss counted."""

import asyncio
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from igpipe.model import Batch
from igpipe.spool import RecordOutcome, Taken
from igpipe.spool.reader import DiskReader
from tests.spool.disks import Bench, drain, files_of
from tests.spool.samples import MIB, batch
from tests.virtual import run

RUNS = 10_000 if os.environ.get("IGPIPE_LONG") else 120
PASSED = 10
"""Batches that are settled before the others come: a file held some of them that is reused."""
BATCHES = 40
DELIVERED = RecordOutcome.DELIVERED


def build(path: Path, codec: str) -> tuple[dict[int, Batch], set[int]]:
    """Leave a spool behind: what was appended, and what of it was settled; one file was reused."""
    bench = Bench(path, max_bytes=MIB, compression=codec)
    reader = bench.reader()
    lines: dict[int, Batch] = {}
    settled: set[int] = set()
    for number in range(PASSED + BATCHES):
        size = random.Random(number).choice([0, 3000, 30_000]) if number >= PASSED else 30_000
        each = batch(5 * number, 5, size=size)
        lines |= {seq: record(each, row) for row, seq in enumerate(each.seqs)}
        bench.spool.append(each, now=number)
        if number < PASSED:
            settled |= {*run(drain(reader))}
            run(bench.spool.maintain())
    first, second, *others = run(reader.take(60_000, 0))
    for taken in (first, *others):
        reader.settle((taken, [DELIVERED] * 5))
        settled |= set(range(taken.batch.first_seq, taken.batch.first_seq + 5))
    reader.settle((second, [DELIVERED, None, DELIVERED, None, DELIVERED]))
    settled |= {second.batch.first_seq + at for at in (0, 2, 4)}
    bench.spool.abandon()
    assert any("reused" in file.name for file in files_of(path)) == (codec == "none")
    return lines, settled


def record(batch: Batch, row: int) -> Batch:
    """Take one record out of a batch."""
    return replace(batch.select([row]), first_seq=batch.seqs[row])


def corrupt(data: bytes, rng: random.Random) -> bytes:
    """Damage a file in one of the ways that disks and people do."""
    begin = rng.randrange(len(data) + 1)
    end = min(len(data), begin + rng.choice([1, 8, 512, 4096, 50_000]))
    piece = data[begin:end]
    elsewhere = rng.randrange(len(data) + 1)
    flipped = bytes(byte ^ 1 << rng.randrange(8) for byte in piece[:1])
    return rng.choice(
        [
            data[:begin],
            data[:begin] + bytes(len(piece)) + data[end:],
            data[:begin] + rng.randbytes(len(piece)) + data[end:],
            data[:begin] + data[end:],
            data[:begin] + piece + data[begin:],
            data[:elsewhere] + piece + data[elsewhere + len(piece) :],
            data[:begin] + flipped + data[begin + 1 :],
        ]
    )


def damage(path: Path, rng: random.Random, endings: tuple[str, ...]) -> None:
    """Damage one to three files."""
    for _ in range(rng.randint(1, 3)):
        files = [file for ending in endings for file in files_of(path, ending)]
        if not files:
            return
        file = rng.choice(files)
        if rng.random() < 0.05:
            file.unlink()
        else:
            file.write_bytes(corrupt(file.read_bytes(), rng))


async def deliver(bench: Bench, lines: dict[int, Batch]) -> list[int]:
    """Deliver all that is left; every record is one that was appended."""
    reader, seqs = bench.reader(), []
    while reader.account.pending:
        for taken in await at_hand(reader):
            for row, seq in enumerate(taken.batch.seqs):
                assert lines[seq] == record(taken.batch, row)
                seqs.append(seq)
            reader.settle((taken, [DELIVERED] * taken.batch.count))
    assert reader.account.balanced()
    assert reader.account.recovered == len(seqs) + reader.account.evicted
    return seqs


async def at_hand(reader: DiskReader) -> list[Taken]:
    """Take what is there; nothing if the rest turns out to be lost."""
    try:
        async with asyncio.timeout(1):
            return await reader.take(100_000, PASSED + BATCHES)
    except TimeoutError:
        return []


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_damaged_segments_cost_what_is_counted(tmp_path: Path, codec: str) -> None:
    """Each record is delivered once, in order, or counted as corrupt."""
    lines, settled = build(tmp_path / "built", codec)
    for seed in range(RUNS // 2):
        path = shutil.copytree(tmp_path / "built", tmp_path / "run")
        damage(path, random.Random(seed), (".segment",))
        bench = Bench(path, max_bytes=MIB, compression=codec)

        seqs = run(deliver(bench, lines))

        assert seqs == sorted(set(seqs)), seed
        assert not settled & set(seqs), seed
        missing = len(lines) - len(settled) - len(seqs)
        assert bench.value("spool_corrupt_records_total") >= missing, seed
        bench.spool.append(batch(1000), now=PASSED + BATCHES)
        bench.spool.abandon()
        shutil.rmtree(path)


def test_damaged_cursors_repeat_but_do_not_lose(tmp_path: Path) -> None:
    """A cursor that cannot be read begins anew."""
    lines, settled = build(tmp_path / "built", "none")
    for seed in range(RUNS // 10):
        path = shutil.copytree(tmp_path / "built", tmp_path / "run")
        damage(path, random.Random(seed), (".cursor",))
        bench = Bench(path, max_bytes=MIB)
        if files_of(path, ".cursor"):
            seqs = run(deliver(bench, lines))
            assert seqs == sorted(set(seqs)), seed
            assert lines.keys() - settled <= set(seqs), seed
        bench.spool.abandon()
        shutil.rmtree(path)


def test_anything_at_all_may_be_damaged(tmp_path: Path) -> None:
    """Damage to all files at once is survived, and no wrong record comes out."""
    lines, _ = build(tmp_path / "built", "none")
    for seed in range(RUNS // 10):
        path = shutil.copytree(tmp_path / "built", tmp_path / "run")
        damage(path, random.Random(seed), (".segment", ".cursor"))
        bench = Bench(path, max_bytes=MIB)
        seqs = run(deliver(bench, lines))
        assert seqs == sorted(set(seqs)), seed
        bench.spool.abandon()
        shutil.rmtree(path)
