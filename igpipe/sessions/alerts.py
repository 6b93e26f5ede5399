"""What an alert asks for: its labels say which node, and by which gadget. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from igpipe.config import LooksConfig
from igpipe.sessions.order import Asker, Request
from igpipe.text import safe


def requests_of(
    alerts: Iterable[Mapping[str, str]], config: LooksConfig, who: str, receiver: str
) -> Sequence[Request]:
    """
    Make a request of each node and gadget that the labels of firing *alerts* name, each once.

    An alert without such labels asks for nothing.
    """
    seconds = min(config.alert_duration, config.max_duration)
    requests: dict[tuple[str, str], Request] = {}
    for labels in alerts:
        node = labels.get(config.alert_node_label, "")
        gadget = labels.get(config.alert_gadget_label, "") or config.alert_gadget
        if node and gadget and (node, gadget) not in requests:
            reason = safe(f"alert {labels.get('alertname', '')}", 200)
            asker = Asker("alert", who, safe(receiver, 100))
            requests[node, gadget] = Request((node,), gadget, seconds, reason, asker)
    return list(requests.values())
