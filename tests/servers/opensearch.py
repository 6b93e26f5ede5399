"""A real OpenSearch of one node, which stands for Elasticsearch too."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers.http import send_json
from tests.servers.install import install
from tests.servers.process import Process, free_port
from tests.servers.records import Record, record

PAGE = 5000
STREAMS = "logs-inspektor_gadget.*"


class OpenSearch:
    """See Server."""

    once = True

    def __init__(self, folder: Path) -> None:
        port = free_port(9201, 9299)  # its starter takes no other
        self.url = f"http://127.0.0.1:{port}"
        jars = install("opensearch") / "lib" / "*"
        command = [
            "java", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",  # to start quickly
            "-cp", str(jars), "org.codelibs.opensearch.runner.OpenSearchRunner",
            "-basePath", str(folder / "data"), "-numOfNode", "1", "-baseHttpPort", str(port - 1),
            "-clusterName", f"test-{port}",
        ]  # fmt: skip
        # Else it looks for other nodes on this machine, and joins them.
        config = folder / "data" / "node_1" / "config"
        config.mkdir(parents=True)
        (config / "opensearch.yml").write_text("discovery.type: single-node\n")
        ready = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        self.process = Process(command, folder, ready)

    def sink(self, url: str) -> dict[str, Any]:
        """Configure the sink; see Server."""
        return {"type": "elasticsearch", "name": "real", "url": url, "backoff_max": 1}

    def prepare(self) -> None:
        """Say how its data streams look; see Server."""
        self.template("igpipe", STREAMS, {"ig": {"type": "flat_object"}})

    def template(self, name: str, pattern: str, properties: dict[str, Any]) -> None:
        """Say how data streams of *pattern* keep *properties*; the longer pattern wins."""
        text = {"type": "keyword", "ignore_above": 1024}
        mappings = {
            "dynamic_templates": [{"text": {"match_mapping_type": "string", "mapping": text}}],
            "properties": {"@timestamp": {"type": "date_nanos"}, **properties},
        }
        template = {"settings": {"number_of_replicas": 0}, "mappings": mappings}
        send_json("PUT", f"{self.url}/_index_template/{name}", {
            "index_patterns": [pattern], "priority": 200 + len(pattern),
            "data_stream": {}, "template": template,
        })  # fmt: skip

    def stored(self, cluster: str) -> Counter[Record]:
        """Read all documents of *cluster*; see Server."""
        return Counter(_record(document) for document in self._documents(cluster))

    def _documents(self, cluster: str) -> Iterator[Any]:
        send_json("POST", f"{self.url}/{STREAMS}/_refresh", {})
        names = ("orchestrator.cluster.name", "cluster")  # of documents with ECS fields, and raw
        query = {"bool": {"should": [{"term": {name: cluster}} for name in names]}}
        answer = send_json(
            "POST",
            f"{self.url}/{STREAMS}/_search?scroll=1m",
            {"size": PAGE, "query": query, "sort": ["_doc"]},
        )
        while hits := answer["hits"]["hits"]:
            yield from (hit["_source"] for hit in hits)
            more = {"scroll": "1m", "scroll_id": answer["_scroll_id"]}
            answer = send_json("POST", f"{self.url}/_search/scroll", more)


def _record(document: Any) -> Record:
    if "session" in document:
        found = (document[name] for name in ("session", "gadget", "seq", "ig"))
        return record(*found)
    event = document["event"]
    gadget = event["dataset"].removeprefix("inspektor_gadget.")
    return record(document["igpipe"]["session"], gadget, event["sequence"], document["ig"])
