"""From a Pod's name to the name of what made it. Pure."""

import re
from functools import lru_cache
from typing import Final

# Kubernetes draws the five last characters of generated names without vowels, 0, 1 and 3, and
# writes template hashes with a part of the same alphabet only. This keeps most words whole; a
# bare Pod whose name ends in a word like "https" or "pgsql" is the price.
_RANDOM: Final = "[bcdfghjklmnpqrstvwxz2456789]{5}"
_HASH: Final = "[456789bcdf]{6,10}"
_GENERATED: Final = re.compile(
    rf"(?P<name>.+?)"
    rf"(?:"
    rf"(?:-{_HASH}"  # Deployment: the ReplicaSet's hash
    r"|-\d{8,10}(?:-\d{1,5})?"  # CronJob: minutes (once seconds) since 1970, a completion's index
    r"|-\d{1,5}"  # indexed Job
    rf")?-{_RANDOM}"
    r"|-\d{1,5}"  # StatefulSet: the ordinal
    r")",
    re.ASCII,
)
# A base of more than 58 characters is cut there, and loses its hyphen and a part of its hash.
_CUT: Final = re.compile(rf"(?P<name>.{{2,58}}?)(?:-[456789bcdf]{{0,10}})?{_RANDOM}", re.ASCII)
_CUT_LENGTH: Final = 63
_LONGEST: Final = 253


def workload(pod: str) -> str:
    """
    Guess the workload's name from its Pod's *pod*; a name that fits no pattern is its own.

    Takes off what Deployments, ReplicaSets, DaemonSets, Jobs, CronJobs and StatefulSets append.
    """
    return _workload(pod) if len(pod) <= _LONGEST else pod


@lru_cache(maxsize=4096)
def _workload(pod: str) -> str:
    match = _GENERATED.fullmatch(pod)
    if match is None and len(pod) == _CUT_LENGTH:
        match = _CUT.fullmatch(pod)
    return match["name"] if match else pod
