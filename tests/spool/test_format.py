"""Records as bytes: what is written is found, and nothing else is."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igpipe.model import Batch, Lines, Source
from igpipe.spool.format import DEFLATE, LOOK, MAGIC, PLAIN, Place, batch_of, encode, scan
from igpipe.spool.payload import encode_payload
from tests.spool.samples import batch

SALT = 0x1234ABCD


def log_of(batches: list[Batch], codec: int = PLAIN, salt: int = SALT) -> bytes:
    """Write *batches* one after another."""
    data, position = b"", 0
    for each in batches:
        place = Place(position, 7.5)
        data += b"".join(encode(each, encode_payload(each), place, salt, codec))
        position += each.count
    return data


def read_all(data: bytes, salt: int = SALT) -> list[Batch]:
    """Find every batch whose payload is whole."""
    records = scan(data, salt, 0, len(data)).records
    found = [batch_of(record, data, 0, salt) for record in records]
    return [batch for batch in found if batch is not None]


@pytest.mark.parametrize("codec", [PLAIN, DEFLATE])
def test_what_is_written_is_read(codec: int) -> None:
    """Batches come back equal, with every field."""
    batches = [batch(0, 3), batch(3, 1, size=5000), batch(4, 2, gadget="trace_dns")]

    data = log_of(batches, codec)

    assert read_all(data) == batches
    assert [r.position for r in scan(data, SALT, 0, len(data)).records] == [0, 3, 4]


def test_a_batch_is_written_by_one_call_however_many_records_it_has() -> None:
    """The system takes 1,024 parts at once; a snapshot may be one batch of very many rows."""
    whole = batch(0, 100_000)
    assert len(encode(whole, encode_payload(whole), Place(0, 7.5), SALT, PLAIN)) < 1024
    assert read_all(log_of([whole])) == [whole]


def test_times_and_names_from_a_node_may_be_anything() -> None:
    """Numbers beyond 64 bits are held at the bound, long names are cut."""
    source = Source("c" * 5000, "n", "s", "g")
    odd = replace(batch(), source=source, times=[2**64 - 1])
    data = log_of([odd])

    (read,) = read_all(data)
    (record,) = scan(data, SALT, 0, len(data)).records

    assert (read.times, record.last_time) == ([2**64 - 1], 2**63 - 1)
    assert read.source.cluster == "c" * 4096


def test_a_record_inside_a_payload_is_no_record() -> None:
    """Who does not know the salt cannot forge a record, even after damage."""
    forged = log_of([batch(666)], salt=0)
    inner = replace(batch(0), events=Lines.of([forged.replace(b"\n", b" ")]))
    data = bytearray(log_of([inner, batch(1)]))
    data[10] ^= 1

    assert read_all(bytes(data)) == [batch(1)]


def test_the_next_record_is_found_behind_damage() -> None:
    """One bad record costs itself only."""
    data = log_of([batch(0), batch(1), batch(2)])
    size = len(data) // 3

    assert read_all(data[:size] + b"\0" * size + data[2 * size :]) == [batch(0), batch(2)]


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=8), st.integers(LOOK, 3 * LOOK))
def test_blocks_of_any_size_find_the_same(sizes: list[int], block: int) -> None:
    """Reading piece by piece makes progress and finds every record."""
    data = log_of([batch(seq, size=size) for seq, size in enumerate(sizes)])
    found, offset = [], 0
    while offset < len(data):
        part = scan(data[offset : offset + block], SALT, offset, len(data))
        found += part.records
        assert part.offset > offset
        offset = part.offset

    assert found == scan(data, SALT, 0, len(data)).records
    assert len(found) == len(sizes)


@given(st.binary(max_size=400), st.integers(0, 2**32))
def test_noise_is_never_a_record(noise: bytes, seed: int) -> None:
    """Bytes from anywhere, magic and all, are passed over."""
    at = random.Random(seed).randrange(len(noise) + 1)
    data = noise[:at] + MAGIC + noise[at:]

    assert scan(data, SALT, 0, len(data)).records == []
    assert scan(data, SALT, 0, len(data)).offset == len(data)
    assert read_all(data + log_of([batch(5)])) == [batch(5)]
