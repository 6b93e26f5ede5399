"""The index template of igpipe's data streams, for Elasticsearch and for OpenSearch. Pure."""

from typing import Any, Final, Literal

import orjson

Flavour = Literal["elasticsearch", "opensearch"]

INDEX_PATTERN: Final = "logs-inspektor_gadget.*-*"


def render_template(flavour: Flavour) -> str:
    """
    Write the index template as JSON, for ``PUT _index_template/igpipe``.

    Times keep their nanoseconds, the event is one flattened field however many columns gadgets
    have, and text is searched as keywords, cut where a keyword may not be longer.
    """
    text = orjson.dumps(_template(flavour), option=orjson.OPT_INDENT_2)
    return text.decode() + "\n"


def _template(flavour: Flavour) -> dict[str, Any]:
    return {
        "index_patterns": [INDEX_PATTERN],
        "priority": 200,  # before the templates that Elasticsearch has for logs-*-*
        "data_stream": {},
        "template": {
            "settings": {
                "index.mapping.total_fields.limit": 2000,
                "index.mapping.ignore_malformed": True,
            },
            "mappings": {
                "dynamic_templates": [
                    {"strings": {"match_mapping_type": "string", "mapping": _KEYWORD}}
                ],
                "properties": {**_PROPERTIES, "ig": _flattened(flavour)},
            },
        },
        "_meta": {"managed_by": "igpipe"},
    }


def _flattened(flavour: Flavour) -> dict[str, Any]:
    if flavour == "opensearch":
        return {"type": "flat_object"}
    # A value that is longer than a keyword may be would have the document refused.
    return {"type": "flattened", "ignore_above": 8191}


def _object(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}


_KEYWORD: Final = {"type": "keyword", "ignore_above": 1024}
_LONG: Final = {"type": "long"}
_IP: Final = {"type": "ip"}
_PROPERTIES: Final[dict[str, Any]] = {
    # A data stream refuses to be lenient with its own time.
    "@timestamp": {"type": "date_nanos", "ignore_malformed": False},
    "seq": _LONG,
    "weight": {"type": "double"},
    "event": _object(sequence=_LONG),
    "igpipe": _object(weight={"type": "double"}),
    "process": _object(
        pid=_LONG, parent=_object(pid=_LONG), thread=_object(id=_LONG), args_count=_LONG
    ),
    "source": _object(ip=_IP, port=_LONG),
    "destination": _object(ip=_IP, port=_LONG),
    "dns": _object(resolved_ip=_IP),
}
