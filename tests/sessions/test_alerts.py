"""What firing alerts ask for."""

from typing import Any

from igpipe.config import LooksConfig
from igpipe.sessions import Request, requests_of


def asked(*alerts: dict[str, str], **config: Any) -> list[Request]:
    """Map labels by a configuration."""
    looks = LooksConfig.model_validate(config)
    return list(requests_of(alerts, looks, "am", "receiver"))


def test_labels_name_node_and_gadget() -> None:
    """Each pair is asked for once, for the configured time, with the alert's name as reason."""
    alert = {"alertname": "Slow\x1b", "node": "n1", "gadget": "trace_dns"}
    (request,) = asked(alert, alert, {"node": "n1"}, {"gadget": "trace_dns"})
    assert (request.nodes, request.gadget, request.seconds) == (("n1",), "trace_dns", 120.0)
    assert (request.asker.kind, request.asker.who) == ("alert", "am")
    assert request.reason == "alert Slow\\x1b"


def test_the_labels_are_configured() -> None:
    """Their names, a gadget for alerts that name none, and never longer than a look may be."""
    (request,) = asked(
        {"host": "n1"},
        alert_node_label="host",
        alert_gadget="top_tcp",
        alert_duration="1h",
        max_duration="3m",
    )
    assert (request.nodes, request.gadget, request.seconds) == (("n1",), "top_tcp", 180.0)
