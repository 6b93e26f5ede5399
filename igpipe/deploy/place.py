"""Where and how igpipe is installed: what the configuration of a running igpipe need not know."""

from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """
    One installation.

    ``users`` may create session Pods besides the service account (people whose igpipe runs
    outside the cluster). ``images`` are images of ig allowed besides the configured one; one that
    ends in ``*`` stands for all that begin so. ``gadgets`` are names of gadgets allowed besides
    those that the configuration names; ``*`` is all of the registry.
    ``deadline`` is the longest life of a session's Pod in seconds; 0: what the configuration
    needs, at least ten minutes, for looks on demand.
    """

    namespace: str = "igpipe"
    account: str = "igpipe"
    users: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    gadgets: tuple[str, ...] = ()
    deadline: int = 0

    @property
    def creators(self) -> tuple[str, ...]:
        """The users who may create session Pods, as the API server names them."""
        return (f"system:serviceaccount:{self.namespace}:{self.account}", *self.users)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of everything that is installed."""
        return {"app.kubernetes.io/name": "igpipe", "app.kubernetes.io/part-of": "igpipe"}
