"""A real OpenTelemetry Collector that writes what it gets to a file, before it says so."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from tests.servers.install import install
from tests.servers.process import Process, free_ports
from tests.servers.records import Record, record


class Collector:
    """See Server; *receiver* is more configuration of its HTTP receiver."""

    once = False

    def __init__(self, folder: Path, **receiver: Any) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._file = folder / "logs.json"
        config = folder / "otelcol.json"
        http = {"endpoint": f"127.0.0.1:{port}", **receiver}
        config.write_text(json.dumps(_config(http, self._file)))
        binary = install("collector") / "otelcol"
        command = [str(binary), "--config", f"file:{config}"]
        self.process = Process(command, folder, f"{self.url}/v1/logs")

    def sink(self, url: str) -> dict[str, Any]:
        """Configure the sink; see Server."""
        return {"type": "otlp", "name": "real", "url": url, "backoff_max": 1}

    def prepare(self) -> None:
        """Need nothing; see Server."""

    def stored(self, cluster: str) -> Counter[Record]:
        """Read what it wrote; see Server."""
        return Counter(
            _record(log)
            for request in _requests(self._file.read_bytes())
            for resource in request["resourceLogs"]
            if _attributes(resource["resource"])["k8s.cluster.name"]["stringValue"] == cluster
            for scope in resource["scopeLogs"]
            for log in scope["logRecords"]
        )


def _requests(written: bytes) -> Iterator[Any]:
    """Read requests one after another; one may be torn by SIGKILL, with no new line behind it."""
    begin = b'{"resourceLogs":'
    for rest in written.split(begin)[1:]:
        try:
            yield orjson.loads(begin + rest)
        except orjson.JSONDecodeError:
            continue  # it was never acknowledged


def _record(log: Any) -> Record:
    known = _attributes(log)
    return record(
        known["igpipe.session"]["stringValue"],
        log["eventName"].removeprefix("ig."),
        int(known["igpipe.seq"]["intValue"]),
        orjson.loads(log["body"]["stringValue"]),
    )


def _attributes(owner: Any) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in owner["attributes"]}


def _config(http: dict[str, Any], file: Path) -> dict[str, Any]:
    """With ``rotation`` the exporter writes each request at once, without a buffer of its own."""
    return {
        "receivers": {"otlp": {"protocols": {"http": http}}},
        "exporters": {"file": {"path": str(file), "rotation": {"max_megabytes": 10_000}}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"logs": {"receivers": ["otlp"], "exporters": ["file"]}},
        },
    }
