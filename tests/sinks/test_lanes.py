"""Lanes: order where it is asked for, freedom elsewhere."""

from igpipe.sinks.lanes import lanes_of
from igpipe.sinks.parcel import Join, Parcel, Piece


def parcel(frame: Join, number: int) -> Parcel:
    """Make a parcel that can be told from others."""
    return Parcel((Piece(0, [number], ([b""],)),), frame)


def test_parcels_of_an_ordered_frame_share_a_lane() -> None:
    """One stream's requests wait for each other, and for no other stream's."""
    a, b = Join(), Join()
    parcels = [parcel(a, 0), parcel(b, 1), parcel(a, 2)]
    assert list(lanes_of(parcels)) == [[parcels[0], parcels[2]], [parcels[1]]]


def test_parcels_of_other_frames_are_alone() -> None:
    """They may overtake each other."""
    frame = Join(ordered=False)
    parcels = [parcel(frame, number) for number in range(3)]
    assert list(lanes_of(parcels)) == [[each] for each in parcels]
