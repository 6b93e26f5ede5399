"""A real Loki, all its parts in one process."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.servers.http import get_json
from tests.servers.install import install
from tests.servers.process import Process, free_ports
from tests.servers.records import Record, read_record

PAGE = 50_000
"""So many entries may be asked for at once."""
MESSAGE = 2**28
"""A page in bytes, from one part of Loki to another."""
HOUR = 3600 * 10**9


class Loki:
    """See Server; *limits* replace Loki's own."""

    once = True

    def __init__(self, folder: Path, **limits: Any) -> None:
        http, grpc = free_ports(2)
        self.url = f"http://127.0.0.1:{http}"
        config = folder / "loki.yaml"
        config.write_text(json.dumps(_config(folder / "data", http, grpc, limits)))
        binary = install("loki") / "loki"
        command = [str(binary), f"-config.file={config}", "-target=all"]
        self.process = Process(command, folder, f"{self.url}/ready")

    def sink(self, url: str) -> dict[str, Any]:
        """Configure the sink; see Server."""
        return {"type": "loki", "name": "real", "url": url, "backoff_max": 1}

    def prepare(self) -> None:
        """Need nothing; see Server."""

    def stored(self, cluster: str) -> Counter[Record]:
        """Read all of *cluster*; see Server."""
        now = time.time_ns()
        return self._between(f'{{cluster="{cluster}"}}', now - 3 * HOUR, now + HOUR)

    def _between(self, query: str, start: int, end: int) -> Counter[Record]:
        """Read what is from *start* to before *end*: where that is too much, by halves."""
        answer = get_json(
            f"{self.url}/loki/api/v1/query_range",
            # Else each entry is a stream of its own, by its metadata.
            {"X-Loki-Response-Encoding-Flags": "categorize-labels"},
            query=query, start=start, end=end, limit=PAGE, direction="forward",
        )  # fmt: skip
        values = [value for stream in answer["data"]["result"] for value in stream["values"]]
        if len(values) < PAGE:
            return Counter(read_record(line) for _, line, *_ in values)
        middle = (start + end) // 2
        return self._between(query, start, middle) + self._between(query, middle, end)


def _config(data: Path, http: int, grpc: int, limits: dict[str, Any]) -> dict[str, Any]:
    """Bind everything to loopback, and acknowledge only what is in the write-ahead log."""
    local = "127.0.0.1"
    return {
        "auth_enabled": False,
        "analytics": {"reporting_enabled": False},
        "server": {
            "http_listen_address": local, "http_listen_port": http,
            "grpc_listen_address": local, "grpc_listen_port": grpc,
            "grpc_server_max_recv_msg_size": MESSAGE, "grpc_server_max_send_msg_size": MESSAGE,
            "log_level": "warn",
        },
        "common": {
            "instance_addr": local,
            "path_prefix": str(data),
            "replication_factor": 1,
            "ring": {"instance_addr": local, "kvstore": {"store": "inmemory"}},
            "storage": {
                "filesystem": {
                    "chunks_directory": str(data / "chunks"),
                    "rules_directory": str(data / "rules"),
                },
            },
        },
        "schema_config": {
            "configs": [{
                "from": "2024-01-01", "store": "tsdb", "object_store": "filesystem",
                "schema": "v13", "index": {"prefix": "index_", "period": "24h"},
            }],
        },
        "ingester": {
            "lifecycler": {"min_ready_duration": "0s", "final_sleep": "0s"},
            "wal": {"enabled": True, "dir": str(data / "wal"), "flush_on_shutdown": True},
        },
        "frontend": {"scheduler_dns_lookup_period": "1s"},  # it is not ready before
        "query_range": {"parallelise_shardable_queries": False},
        "limits_config": {"max_entries_limit_per_query": PAGE, **limits},
    }  # fmt: skip
