"""A simulated cluster that speaks Kubernetes' protocol and plays recorded output of real ig."""

from igpipe.sim.cluster import SimCluster
from igpipe.sim.faults import SOME, Faults, Injected
from igpipe.sim.loki import FakeLoki, LokiConfig
from igpipe.sim.settings import SimConfig

__all__ = ["SOME", "FakeLoki", "Faults", "Injected", "LokiConfig", "SimCluster", "SimConfig"]
