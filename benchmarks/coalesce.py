"""
What coalesced reads save: ``python -m benchmarks.coalesce [--seconds 4] [--rounds 3]``.

A server in another process sends ig-like events over TLS on loopback, each as one chunk in one
record with one send, as a real API server does. In turn, in the same process, the plain loop over
``iter_any`` and igpipe's coalesced read take them; both cut lines. Per event: CPU time of the
client process, and latency from the server's send to the handling of the line.
"""

import argparse
import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from igpipe.stream import Coalescer, LineCutter

RATES: Final = {1_000: 0.25, 15_000: 0.5}
"""Events per second, and the part of the plain loop's CPU that coalesced reads may take."""
WARM_UP: Final = 0.7
ADDED_MS: Final = 20.0
"""What coalescing may add to the median latency."""
_PAD: Final = b'","pad":"' + b"x" * 1100 + b'"}\n'


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: CPU in µs an event, latencies in ms."""

    cpu: float
    p50: float
    p99: float
    events_a_read: float
    events: int


@dataclass(frozen=True, slots=True)
class Row:
    """Both ways at one rate: medians over the rounds."""

    rate: int
    plain: Sample
    coalesced: Sample
    target: float

    @property
    def ratio(self) -> float:
        """The coalesced read's share of the plain loop's CPU."""
        return self.coalesced.cpu / self.plain.cpu

    @property
    def added_ms(self) -> float:
        """What coalescing adds to the median latency."""
        return self.coalesced.p50 - self.plain.p50

    @property
    def good(self) -> bool:
        """Whether both targets are met."""
        return self.ratio <= self.target and self.added_ms <= ADDED_MS


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, and tell by the exit code whether all targets are met."""
    parser = argparse.ArgumentParser(prog="benchmarks.coalesce", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind at each rate")
    parser.add_argument("--serve", nargs=2, metavar=("CERT", "KEY"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        return serve(*options.serve)
    rows = measure(options.seconds, options.rounds)
    print(table(rows))
    return 0 if all(row.good for row in rows) else 1


def measure(seconds: float = 4.0, rounds: int = 3) -> list[Row]:
    """Run every rate *rounds* times in both ways, alternating."""
    with tempfile.TemporaryDirectory() as folder:
        cert, key = make_certificate(Path(folder))
        return asyncio.run(_measure(cert, key, seconds, rounds))


def table(rows: list[Row]) -> str:
    """Write *rows* as a Markdown table."""
    head = (
        "| events/s | plain: CPU µs an event | p50 / p99 ms | events a read "
        "| coalesced: CPU µs an event | p50 / p99 ms | events a read "
        "| CPU ratio | target | p50 added ms |"
    )
    lines = [head, "|" + "---:|" * 10]
    for row in rows:
        cells = [f"{row.rate}", *_cells(row.plain), *_cells(row.coalesced)]
        cells += [f"{row.ratio:.2f}", f"≤ {row.target}", f"{row.added_ms:.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cells(sample: Sample) -> list[str]:
    return [
        f"{sample.cpu:.1f}",
        f"{sample.p50:.1f} / {sample.p99:.1f}",
        f"{sample.events_a_read:.1f}",
    ]


async def _measure(cert: Path, key: Path, seconds: float, rounds: int) -> list[Row]:
    trust = ssl.create_default_context(cafile=str(cert))
    rows = []
    async with (
        _server(cert, key) as port,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust), read_bufsize=2**21
        ) as session,
    ):
        for rate, target in RATES.items():
            url = f"https://127.0.0.1:{port}/{rate}/{seconds + WARM_UP}"
            plain, coalesced = [], []
            for _ in range(rounds):
                plain.append(await _run(session, url, _plain))
                coalesced.append(await _run(session, url, _coalesced))
            rows.append(Row(rate, _median(plain), _median(coalesced), target))
    return rows


def _median(samples: list[Sample]) -> Sample:
    return Sample(
        cpu=statistics.median(sample.cpu for sample in samples),
        p50=statistics.median(sample.p50 for sample in samples),
        p99=statistics.median(sample.p99 for sample in samples),
        events_a_read=statistics.median(sample.events_a_read for sample in samples),
        events=sum(sample.events for sample in samples),
    )


class Reader:
    """A log's connection, as igpipe.kube has it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        assert response.connection is not None
        assert response.connection.transport is not None
        self._content = response.content
        self._socket = response.connection.transport.get_extra_info("socket")

    async def read(self) -> bytes:
        """Return what has arrived."""
        return await self._content.readany()

    def set_low_water(self, size: int) -> None:
        """Set the socket's low-water mark."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)


Handled = Callable[[bytes], None]


async def _plain(response: aiohttp.ClientResponse, handled: Handled) -> None:
    cutter = LineCutter(2**20)
    async for chunk in response.content.iter_any():
        handled(cutter.feed(chunk))


async def _coalesced(response: aiohttp.ClientResponse, handled: Handled) -> None:
    cutter, reader = LineCutter(2**20), Reader(response)
    clock = asyncio.get_running_loop().time
    with Coalescer().watch(reader, clock()) as note:
        while chunk := await reader.read():
            note(len(chunk), clock())
            handled(cutter.feed(chunk))


async def _run(
    session: aiohttp.ClientSession,
    url: str,
    follow: Callable[[aiohttp.ClientResponse, Handled], Awaitable[None]],
) -> Sample:
    """Follow one log and look at what came after the warm-up."""
    blocks: list[tuple[float, bytes]] = []
    start: list[float] = []  # CPU time and clock at the end of the warm-up
    begin = time.monotonic()

    def handled(lines: bytes) -> None:
        now = time.monotonic()
        if now - begin < WARM_UP:
            return
        if not start:
            start.append(time.process_time())
        else:
            blocks.append((now, lines))

    async with session.get(url) as response:
        await follow(response, handled)
    cpu = time.process_time() - start[0]
    late = sorted(
        now * 1e3 - int(line[6:25]) / 1e6 for now, lines in blocks for line in lines.splitlines()
    )
    return Sample(
        cpu=cpu / len(late) * 1e6,
        p50=late[len(late) // 2],
        p99=late[len(late) * 99 // 100],
        events_a_read=len(late) / len(blocks),
        events=len(late),
    )


@contextlib.asynccontextmanager
async def _server(cert: Path, key: Path) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.coalesce", "--serve", str(cert), str(key),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


def serve(cert: str, key: str) -> int:
    """Serve one connection after another; print the port first."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            plain, _ = listener.accept()
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain, server_side=True) as client:
                _answer(client)


def _answer(client: ssl.SSLSocket) -> None:
    """Send events at the rate and for the seconds that the path names, each on its own."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(65536)
    _, rate, seconds = request.split(b" ", 2)[1].decode().split("/")
    client.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    begin, count = time.monotonic(), int(int(rate) * float(seconds))
    for number in range(count):
        wait = begin + number / int(rate) - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        line = b'{"t":"%019d%s' % (time.monotonic_ns(), _PAD)
        client.sendall(b"%x\r\n%s\r\n" % (len(line), line))
    client.sendall(b"0\r\n\r\n")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


if __name__ == "__main__":
    sys.exit(main())
