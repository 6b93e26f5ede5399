"""The words for a session: where it stands, how it ended, and what comes out of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a session stands."""

    REQUESTED = "requested"
    CREATED = "created"
    STARTING = "starting"
    OBSERVING = "observing"
    DRAINING = "draining"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a session, or one gadget of it, ended."""

    COMPLETED = "completed"
    SHORT = "short"
    BUDGET = "budget"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why; empty unless the outcome needs one."""

    NONE = ""
    IMAGE_PULL = "image_pull"
    TAP = "tap"
    REJECTED = "rejected"
    START_TIMEOUT = "start_timeout"
    GADGET_ERROR = "gadget_error"
    EVICTED = "evicted"
    NODE_GONE = "node_gone"
    NODE_DRAINING = "node_draining"
    API_DENIED = "api_denied"
    API_UNAVAILABLE = "api_unavailable"
    STREAM_LOST = "stream_lost"
    DEADLINE = "deadline"
    BYTES = "bytes"
    LEASE_LOST = "lease_lost"
    STOPPING = "stopping"
    ON_REQUEST = "on_request"


SESSION_GADGET: Final = "igpipe_session"
"""Stands in for a gadget in records about sessions themselves; no gadget of ig is called so."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a stream's events come from: one gadget in one session on one node."""

    cluster: str
    node: str
    session: str
    gadget: str
