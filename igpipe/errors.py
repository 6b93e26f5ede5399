"""
igpipe's errors: a class exists only where some ``except`` names it. Pure.

::

    IgpipeError
    ├── ConfigError              a message a person can act on; exit 2
    ├── InputError               unusable input of a command; exit 1
    ├── ClusterError             the API server said no
    │   ├── ClusterUnavailable   wait and try again, ``retry_after`` seconds if given
    │   ├── ClusterDenied        401 or 403: said loudly, slow retry, not ready
    │   ├── NotFound             404: often success (the thing is gone)
    │   ├── Conflict             409: the name is taken, or the object has changed
    │   ├── Rejected             400 or 422, or an admission webhook: asking again is no use
    │   └── Gone                 410: the resource version is too old, list again
    ├── FrameError               a line is no sound frame of igpipe-tap: counted, not believed
    ├── SessionError             one session failed with ``reason``; the next node is due
    ├── Refused                  a look on demand is not to be had; ``reason`` tells why
    └── SinkError                one request of a sink failed
        ├── SinkUnavailable      keep the batch, wait, ``retry_after`` seconds if given
        ├── SinkDenied           401, 403, 404: keep the batch, slow retry, not ready
        └── SinkRejected         the sink will never take it: bisect, then dead letter
"""

from igpipe.model import Reason


class IgpipeError(Exception):
    """Base of all errors that igpipe expects."""


class ConfigError(IgpipeError):
    """The configuration is wrong; the message lists every fault with its path."""


class InputError(IgpipeError):
    """What a command was given to read cannot be used."""


class FrameError(IgpipeError):
    """A line is no sound frame of igpipe-tap; the message says in which way."""


class ClusterError(IgpipeError):
    """The API server did not do what was asked."""


class ClusterUnavailable(ClusterError):
    """The API server is out of reach, overloaded or too slow."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ClusterDenied(ClusterError):
    """The API server does not know us, or we lack a right."""


class NotFound(ClusterError):
    """The object does not exist (any more)."""


class Conflict(ClusterError):
    """The name is taken, or the object changed since it was read."""


class Rejected(ClusterError):
    """The object is invalid, or admission refuses it."""


class Gone(ClusterError):
    """The resource version is older than the API server remembers."""


class SessionError(IgpipeError):
    """A session failed; *reason* is its label in metrics, the message its detail."""

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message or reason.value)
        self.reason = reason


class Refused(IgpipeError):
    """A look on demand is not to be had; *reason* is its label in metrics."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SinkError(IgpipeError):
    """A sink did not take a request."""


class SinkUnavailable(SinkError):
    """The sink is out of reach, overloaded or too slow."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SinkBroken(SinkUnavailable):
    """The connection broke during the request: by chance, or over what the request holds."""


class SinkDenied(SinkError):
    """The sink does not accept our credentials, tenant or address."""


class SinkRejected(SinkError):
    """The sink refuses (part of) what the request holds."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
