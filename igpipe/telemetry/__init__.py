"""What igpipe tells of itself: its own metrics, with methods named after what happened."""

from prometheus_client import CollectorRegistry

from igpipe.telemetry.api import ApiTelemetry
from igpipe.telemetry.ledger import LedgerTelemetry
from igpipe.telemetry.looks import LOOK_KINDS, LOOK_REFUSALS, LookTelemetry
from igpipe.telemetry.process import ProcessTelemetry
from igpipe.telemetry.records import RECORD_OUTCOMES, SPOOL_ERRORS, RecordTelemetry
from igpipe.telemetry.rollout import RolloutTelemetry
from igpipe.telemetry.series import SeriesTelemetry
from igpipe.telemetry.sessions import SessionTelemetry
from igpipe.telemetry.streams import StreamTelemetry
from igpipe.telemetry.web import WebTelemetry

__all__ = [
    "LOOK_KINDS",
    "LOOK_REFUSALS",
    "RECORD_OUTCOMES",
    "SPOOL_ERRORS",
    "ApiTelemetry",
    "LedgerTelemetry",
    "LookTelemetry",
    "ProcessTelemetry",
    "RecordTelemetry",
    "RolloutTelemetry",
    "SeriesTelemetry",
    "SessionTelemetry",
    "StreamTelemetry",
    "Telemetry",
    "WebTelemetry",
]


class Telemetry:
    """
    igpipe's own metrics in *registry*.

    Every queue has length, capacity and dropped; every attempt has a total by outcome and seconds.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.process = ProcessTelemetry(self.registry)
        self.api = ApiTelemetry(self.registry)
        self.sessions = SessionTelemetry(self.registry)
        self.looks = LookTelemetry(self.registry)
        self.rollout = RolloutTelemetry(self.registry)
        self.ledger = LedgerTelemetry(self.registry)
        self.streams = StreamTelemetry(self.registry)
        self.series = SeriesTelemetry(self.registry)
        self.records = RecordTelemetry(self.registry)
        self.web = WebTelemetry(self.registry)
