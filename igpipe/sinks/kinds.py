"""From a sink's configuration to the sink."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from igpipe.config import AnySink, ElasticsearchSink, FileSink, LokiSink, StdoutSink
from igpipe.sinks.elastic import Elasticsearch
from igpipe.sinks.file import file_sink
from igpipe.sinks.http import open_transport
from igpipe.sinks.loki import Loki
from igpipe.sinks.ports import Sink
from igpipe.sinks.stdout import stdout_sink
from igpipe.telemetry import RecordTelemetry


@asynccontextmanager
async def open_sink(config: AnySink, telemetry: RecordTelemetry) -> AsyncIterator[Sink]:
    """Open one sink, with connections of its own if it has any. ConfigError if it cannot be."""
    if isinstance(config, FileSink):
        yield file_sink(config)
    elif isinstance(config, StdoutSink):
        yield stdout_sink(config)
    else:
        async with open_transport(config, config.url) as transport:
            if isinstance(config, LokiSink):
                yield Loki(config, transport, partial(telemetry.folded, config.name))
            elif isinstance(config, ElasticsearchSink):
                stored = partial(telemetry.failure_store, config.name)
                yield Elasticsearch(config, transport, stored)
            else:
                # Half of a command's start would go into importing protobuf for nothing.
                from igpipe.sinks.otlp import Otlp  # noqa: PLC0415

                yield Otlp(config, transport)
