"""Which parcels wait for each other. Pure."""

from collections import deque
from collections.abc import Sequence

from igpipe.sinks.parcel import Frame, Parcel


def lanes_of(parcels: Sequence[Parcel]) -> deque[Sequence[Parcel]]:
    """Put the parcels of each ordered frame in one lane, in order, and each other one alone."""
    lanes: list[list[Parcel]] = []
    ordered: dict[Frame, list[Parcel]] = {}
    for parcel in parcels:
        if not parcel.frame.ordered:
            lanes.append([parcel])
        elif parcel.frame in ordered:
            ordered[parcel.frame].append(parcel)
        else:
            ordered[parcel.frame] = [parcel]
            lanes.append(ordered[parcel.frame])
    return deque(lanes)
