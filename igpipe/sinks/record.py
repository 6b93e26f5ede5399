"""A record's parts, cut from its line without reading the event. Pure."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import orjson

from igpipe.model import Source


class Record(NamedTuple):
    """The parts of a record, each as JSON; its event is ``line[event:-1]``, and is not copied."""

    seq: bytes
    time: bytes
    weight: bytes
    labels: bytes
    event: int


def source_of(line: bytes) -> Source:
    """Read where a record comes from. ValueError if it is none."""
    try:
        known = orjson.loads(line[: line.find(_SEQ)].rstrip(b",") + b"}")
        source = Source(known["cluster"], known["node"], known["session"], known["gadget"])
    except (KeyError, TypeError):
        raise ValueError("no record") from None
    cutter(line)(line)
    return source


def cutter(first: bytes) -> Callable[[bytes], Record]:
    """
    Make a function that cuts the records of a stream, of which *first* is one.

    What is sought cannot stand in a string before it, where quotes are escaped. The function
    raises ValueError if a line is no record of the stream.
    """
    length = first.find(_SEQ) + len(_SEQ)
    head = first[:length]

    def cut(line: bytes) -> Record:
        middle = line.find(_LABELS, length)
        end = line.find(_EVENT, middle)
        if middle < 0 or end < 0 or not line.startswith(head):
            raise ValueError("no record")
        seq, time, weight = line[length:middle].split(b",")
        labels = line[middle + _LABELS_LENGTH : end]
        return _new(Record, (seq, time[7:], weight[9:], labels, end + _EVENT_LENGTH))

    return cut


def identity(source: Source) -> Callable[[Record], bytes]:
    """
    Make a function that names a record of *source* for ever: by its stream and its number.

    The record's time in kiloseconds stands first, so that the names of one time are neighbours
    in an index: looking them up is then cheap.
    """
    words = "\0".join((source.cluster, source.session, source.gadget)).encode()
    stream = urlsafe_b64encode(blake2b(words, digest_size=15).digest())
    return lambda record: b"%b-%b-%b" % (record.time[:-12], stream, record.seq)


def iso_time(nanoseconds: bytes) -> bytes:
    """Write unix nanoseconds, given in decimal digits, as RFC 3339 in UTC."""
    return b"%b.%bZ" % (_iso_seconds(nanoseconds[:-9]), nanoseconds[-9:].rjust(9, b"0"))


@lru_cache(maxsize=4096)
def _iso_seconds(seconds: bytes) -> bytes:
    moment = datetime.fromtimestamp(int(seconds or b"0"), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S").encode()


_new = tuple.__new__  # a NamedTuple's own constructor is a function around it: half of the cost
_SEQ = b'"seq":'
_LABELS = b',"labels":'
_EVENT = b',"event":'
_LABELS_LENGTH = len(_LABELS)
_EVENT_LENGTH = len(_EVENT)
