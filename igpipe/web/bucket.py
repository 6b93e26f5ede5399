"""A token bucket. Pure."""


class Bucket:
    """Lets *burst* pass at once, and then one in *interval* seconds of the caller's clock."""

    def __init__(self, interval: float, burst: int) -> None:
        self.rate = (interval, burst)
        self._tokens = float(burst)
        self._since: float | None = None

    def allow(self, now: float) -> bool:
        """Take a token; False if there is none."""
        interval, burst = self.rate
        if self._since is not None:
            self._tokens = min(float(burst), self._tokens + (now - self._since) / interval)
        self._since = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
