"""Whether igpipe can do its job, and if not, why: what /readyz says."""

from igpipe.text import safe


class Health:
    """
    Conditions by name, each fine or with a reason.

    Whoever does a part of the job reports it: ``report("nodes", "watch: 403 …")`` when it fails,
    ``report("nodes")`` when it works. A condition named in *expected* is not fine until it was
    reported once.
    """

    def __init__(self, *expected: str) -> None:
        self._reasons: dict[str, str] = dict.fromkeys(expected, "not started")

    def report(self, condition: str, reason: str = "") -> None:
        """Set *condition*: an empty *reason* means that it is fine."""
        self._reasons[condition] = safe(reason)

    def fine(self) -> dict[str, bool]:
        """Tell of each condition whether it is fine."""
        return {name: not reason for name, reason in self._reasons.items()}

    def reasons(self) -> dict[str, str]:
        """Return what is not fine, with its reason; empty means ready."""
        return {name: reason for name, reason in self._reasons.items() if reason}
