"""Parcels: compressed as they grow where that pays, and always what their pieces say."""

from igpipe.sinks.grouping import ALL, EAGER, Grouping
from igpipe.sinks.parcel import Join, Parcel, Piece
from tests.sinks.samples import sent

FRAME = Join(b"[", b",", b"]")


def grouped(*pieces: Piece, frame: Join = FRAME, limit: int = 2**20) -> list[Parcel]:
    """Group *pieces* of one frame."""
    grouping = Grouping(limit, ALL, extra=1, strict=True)
    for piece in pieces:
        grouping.add(piece, frame)
    return grouping.parcels()


def piece(taken: int, *texts: bytes) -> Piece:
    """Make a piece of two columns."""
    return Piece(taken, range(len(texts)), (texts, [b"|"] * len(texts)))


def test_a_large_parcel_is_compressed_piece_by_piece() -> None:
    """From a size on: its first pieces are not forgotten, nor what stands around them."""
    texts = [b"%d" % number * 10_000 for number in range(1, 10)]
    (parcel,) = grouped(*(piece(taken, text, b"x") for taken, text in enumerate(texts * 3)))
    assert parcel.packed is not None
    assert sent(parcel) == b"[%b]" % b",".join(b"%b|,x|" % text for text in texts * 3)
    assert [half.packed for half in parcel.halves()] == [None, None]
    one, two = map(sent, parcel.halves())
    assert b"%b,%b" % (one[:-1], two[1:]) == sent(parcel)


def test_each_parcel_has_its_own_body() -> None:
    """Those of one frame that are closed one after another."""
    texts = [b"%d" % (number % 7) * (EAGER // 2) for number in range(9)]
    parcels = grouped(piece(0, *texts), piece(1, *texts), limit=2 * EAGER)
    assert len(parcels) > 4
    assert [parcel.packed is not None for parcel in parcels] == [True] * len(parcels)
    found = b"".join(sent(parcel)[1:-1].replace(b",", b"") for parcel in parcels)
    assert found == b"".join(b"%b|" % text for text in texts * 2)


def test_a_small_one_waits_and_one_that_is_sent_plain_is_not_compressed() -> None:
    """For there may be thousands of frames, and files get lines."""
    (small,) = grouped(piece(0, b"a"))
    (plain,) = grouped(piece(0, b"a" * EAGER), frame=Join(gzip=False))
    assert small.packed is plain.packed is None
    assert sent(small) == b"[a|]"


def test_a_piece_without_records_makes_no_request() -> None:
    """Nothing of it can be settled."""
    assert grouped(piece(0)) == []


def test_a_piece_is_cut_only_where_much_room_would_be_left() -> None:
    """To cut one costs more than a request that is somewhat smaller."""
    whole = [piece(number, *[b"x" * 8] * 6) for number in range(4)]  # 60 bytes each
    parcels = grouped(*whole, limit=160)
    assert [parcel.pieces for parcel in parcels] == [tuple(whole[:2]), tuple(whole[2:])]
    small, large = piece(0, b"x" * 8), piece(1, *[b"y" * 8] * 20)
    first, rest = grouped(small, large, limit=160)
    assert [len(each.rows) for each in (*first.pieces, *rest.pieces)] == [1, 14, 6]
