"""Configuration: strict models with the defaults, one for each consumer."""

from igpipe.config.cluster import ClusterConfig, NodesConfig
from igpipe.config.forward import (
    FileSink,
    Filter,
    ForwardConfig,
    HttpSink,
    LokiSink,
    Redaction,
    SpoolConfig,
)
from igpipe.config.metrics import MetricsConfig, Rule
from igpipe.config.session import GadgetConfig, LimitsConfig, RotationConfig, SessionConfig
from igpipe.config.tree import Config, LogConfig, ServiceConfig, WebConfig

__all__ = [
    "ClusterConfig",
    "Config",
    "FileSink",
    "Filter",
    "ForwardConfig",
    "GadgetConfig",
    "HttpSink",
    "LimitsConfig",
    "LogConfig",
    "LokiSink",
    "MetricsConfig",
    "NodesConfig",
    "Redaction",
    "RotationConfig",
    "Rule",
    "ServiceConfig",
    "SessionConfig",
    "SpoolConfig",
    "WebConfig",
]
