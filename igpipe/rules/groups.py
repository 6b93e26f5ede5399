"""All rules of a configuration, in groups. Pure."""

from igpipe.config import Config
from igpipe.rules.delivery import delivery
from igpipe.rules.loss import loss
from igpipe.rules.process import process
from igpipe.rules.recordings import coverage, rates
from igpipe.rules.rule import Group
from igpipe.rules.sessions import sessions
from igpipe.rules.times import MINUTE, times_of
from igpipe.rules.view import view


def all_rules(config: Config) -> tuple[Group, ...]:
    """Make every rule for *config*. Raises ConfigError where sessions would."""
    times = times_of(config)
    return (
        Group("igpipe-coverage", MINUTE, coverage(times)),
        # Windows of hours over many series: what changes over a period need not be fresh.
        Group("igpipe-rates", 2 * MINUTE, rates(config, times)),
        Group("igpipe-view", MINUTE, view(times)),
        Group("igpipe-sessions", MINUTE, sessions(config.cluster, times)),
        Group("igpipe-loss", MINUTE, loss(times)),
        Group("igpipe-delivery", MINUTE, delivery(times)),
        Group("igpipe-process", MINUTE, process()),
    )
