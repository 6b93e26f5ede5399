"""Configuration: strict models with the defaults, one for each consumer."""

from igpipe.config.cluster import ClusterConfig, NodesConfig
from igpipe.config.forward import (
    AnySink,
    DeadLettersConfig,
    ElasticsearchSink,
    FileSink,
    Filter,
    ForwardConfig,
    HttpSink,
    LokiSink,
    OtlpSink,
    Redaction,
    SpoolConfig,
    StdoutSink,
)
from igpipe.config.ledger import LedgerConfig
from igpipe.config.looks import LooksConfig
from igpipe.config.metrics import MetricsConfig, Rule
from igpipe.config.rollout import RolloutConfig
from igpipe.config.session import GadgetConfig, LimitsConfig, RotationConfig, SessionConfig
from igpipe.config.tree import ClientConfig, Config, LogConfig, ServiceConfig, WebConfig

__all__ = [
    "AnySink",
    "ClientConfig",
    "ClusterConfig",
    "Config",
    "DeadLettersConfig",
    "ElasticsearchSink",
    "FileSink",
    "Filter",
    "ForwardConfig",
    "GadgetConfig",
    "HttpSink",
    "LedgerConfig",
    "LimitsConfig",
    "LogConfig",
    "LokiSink",
    "LooksConfig",
    "MetricsConfig",
    "NodesConfig",
    "OtlpSink",
    "Redaction",
    "RolloutConfig",
    "RotationConfig",
    "Rule",
    "ServiceConfig",
    "SessionConfig",
    "SpoolConfig",
    "StdoutSink",
    "WebConfig",
]
