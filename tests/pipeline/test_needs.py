"""Fields that must not be trimmed on the node."""

import orjson

from igpipe.config import Config
from igpipe.metrics import active_rules
from igpipe.needs import needed_fields


def test_rules_filters_and_redactions_keep_their_fields() -> None:
    """Whatever is read of an event later is named with all its spellings."""
    tree = {
        "gadgets": ["trace_exec", "trace_dns"],
        "forward": {
            "filters": [{"field": "runtime.containerImageDigest", "matches": "x"}],
            "redact": [{"pattern": "x", "fields": ["cwd"]}],
        },
    }
    config = Config.model_validate_json(orjson.dumps(tree))
    needed = needed_fields(config, active_rules(config.metrics, ["trace_exec", "trace_dns"]))
    assert {"runtime.containerImageDigest", "cwd", "k8s.namespace"} <= needed["trace_exec"]
    assert "latency_ns_raw" in needed["trace_dns"]
    assert "latency_ns_raw" not in needed["trace_exec"]
