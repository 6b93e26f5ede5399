"""
Realistic events of image gadgets, the same for the same seed.

The shape is that of ig's JSON formatter: all fields, compact, keys sorted at every level. A few
containers make most of the events, each with a handful of commands, as on real nodes.

    python -m benchmarks.events DIRECTORY --count 1000000
"""

import argparse
import bisect
import hashlib
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.vocabulary import (
    APPS,
    COMMS,
    DOMAINS,
    ERRORS,
    FILES,
    FLAGS,
    NAMESPACES,
    PORTS,
    USERS,
)

START_NS: Final = 1_790_000_000_000_000_000
SHARES: Final = {"trace_open": 0.55, "trace_tcp": 0.20, "trace_dns": 0.15, "trace_exec": 0.10}
Fields = dict[str, Any]


class Zipf:
    """Draws indices, small ones far more often."""

    def __init__(self, rng: random.Random, size: int, exponent: float) -> None:
        self._sums = list(itertools.accumulate((i + 1) ** -exponent for i in range(size)))
        self._rng = rng

    def draw(self) -> int:
        """Draw one."""
        return bisect.bisect_left(self._sums, self._rng.random() * self._sums[-1])


@dataclass(frozen=True, slots=True)
class Container:
    """One container (or, now and then, the host itself) as its events show it."""

    k8s: Fields
    runtime: Fields
    comms: list[str]
    choice: Zipf
    address: str
    uid: int
    mntns: int


class Generator:
    """Draws lines of events from *containers* on *nodes*."""

    def __init__(self, *, seed: int = 7, containers: int = 300, nodes: int = 5) -> None:
        self._rng = random.Random(seed)
        self._containers = [self._container(i, seed, nodes) for i in range(containers)]
        self._rng.shuffle(self._containers)
        self._which = Zipf(self._rng, containers, 1.1)
        self._file = Zipf(self._rng, len(FILES), 0.9)
        self._domain = Zipf(self._rng, len(DOMAINS), 0.8)
        self._time = START_NS
        self._make: dict[str, Callable[[Container], Fields]] = {
            "trace_open": self._open,
            "trace_tcp": self._tcp,
            "trace_dns": self._dns,
            "trace_exec": self._exec,
        }

    def lines(self, count: int, *gadgets: str) -> Iterator[tuple[str, bytes]]:
        """Draw *count* lines of *gadgets* (all, if none are named), each with its gadget."""
        names = gadgets or tuple(SHARES)
        weights = [SHARES[name] for name in names]
        for gadget in self._rng.choices(names, weights, k=count):
            yield gadget, self.line(gadget)

    def line(self, gadget: str) -> bytes:
        """Draw one line."""
        container = self._containers[self._which.draw()]
        event = self._make[gadget](container) | self._common(container)
        return orjson.dumps(event, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)

    def _container(self, i: int, seed: int, nodes: int) -> Container:
        rng = self._rng
        ident = hashlib.sha256(b"%d/%d" % (seed, i)).hexdigest()
        host = i % 37 == 36
        namespace, app = rng.choice(NAMESPACES), rng.choice(APPS)
        name = app if rng.random() < 0.8 else "istio-proxy"
        digest = hashlib.sha256(b"image %d" % (i % 40)).hexdigest()
        k8s = {
            "containerName": name,
            "hostnetwork": rng.random() < 0.05,
            "namespace": namespace,
            "node": f"worker-{i % nodes:02}",
            "owner": {"kind": "Deployment", "name": app},
            "podLabels": f"app.kubernetes.io/name={app},pod-template-hash={ident[:10]}",
            "podName": f"{app}-{ident[:10]}-{ident[10:15]}",
        }
        runtime = {
            "containerId": ident,
            "containerImageDigest": f"sha256:{digest}",
            "containerImageName": f"registry.example.org/{app}:v1.{i % 20}.{i % 7}",
            "containerName": name,
            "containerPid": 2000 + i * 13,
            "containerStartedAt": START_NS - rng.randrange(10**15),
            "runtimeName": "containerd",
        }
        comms = rng.sample(COMMS, rng.randint(2, 8))
        return Container(
            _emptied(k8s) if host else k8s,
            _emptied(runtime) if host else runtime,
            comms,
            Zipf(rng, len(comms), 1.2),
            f"10.244.{i % nodes}.{i % 250 + 2}",
            rng.choice(list(USERS)),
            4026530000 + i,
        )

    def _common(self, container: Container) -> Fields:
        rng = self._rng
        self._time += rng.randrange(40_000)
        seconds, nanos = divmod(self._time, 10**9)
        moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        pid, uid = 1000 + rng.randrange(400_000), container.uid
        return {
            "k8s": container.k8s,
            "runtime": container.runtime,
            "proc": {
                "comm": container.comms[container.choice.draw()],
                "creds": {"gid": uid, "group": USERS[uid], "uid": uid, "user": USERS[uid]},
                "mntns_id": container.mntns,
                "parent": {"comm": container.comms[0], "pid": pid - 1},
                "pid": pid,
                "tid": pid + rng.randrange(3),
            },
            "timestamp": f"{moment}.{nanos:09}Z",
            "timestamp_raw": self._time,
        }

    def _open(self, _container: Container) -> Fields:
        rng = self._rng
        error, number = rng.choice(ERRORS)
        flags, bits = rng.choice(FLAGS)
        return {
            "error": error,
            "error_raw": number,
            "fd": 0 if number else 3 + rng.randrange(200),
            "flags": flags,
            "flags_raw": bits,
            "fname": FILES[self._file.draw()].format(rng.randrange(1 << 20)),
            "fpath": "",
            "mode": "----------",
            "mode_raw": 0,
        }

    def _tcp(self, container: Container) -> Fields:
        rng = self._rng
        kind = rng.randrange(3)
        peer = self._containers[self._which.draw()].address
        return {
            "accept_fd": -1,
            "dst": _endpoint(peer, rng.choice(PORTS), "TCP"),
            "error": "",
            "error_raw": 0,
            "fd": 3 + rng.randrange(100),
            "netns_id": container.mntns + 10_000,
            "src": _endpoint(container.address, 32768 + rng.randrange(28_000), "TCP"),
            "type": ("connect", "accept", "close")[kind],
            "type_raw": kind,
        }

    def _dns(self, container: Container) -> Fields:
        rng = self._rng
        client = _endpoint(container.address, 32768 + rng.randrange(28_000), "UDP")
        server = _endpoint("10.96.0.10", 53, "UDP")
        record, number = rng.choice((("A", 1), ("AAAA", 28)))
        name = DOMAINS[self._domain.draw()].format(rng.randrange(1 << 24))
        asked = {
            "cwd": "",
            "exepath": "",
            "id": f"{rng.randrange(65536):04x}",
            "name": name,
            "nameserver": {"addr": "10.96.0.10", "version": 4},
            "netns_id": container.mntns + 10_000,
            "qtype": record,
            "qtype_raw": number,
            "rd": True,
            "tc": False,
        }
        return asked | (
            _query(client, server) if rng.random() < 0.5 else self._response(client, server)
        )

    def _response(self, client: Fields, server: Fields) -> Fields:
        rng = self._rng
        latency = int(rng.lognormvariate(13.3, 1.3))
        failed = rng.random() < 0.2
        answers = [] if failed else [f"10.0.{rng.randrange(255)}.{rng.randrange(255)}"]
        return {
            "addresses": ",".join(answers),
            "dst": client,
            "latency_ns": f"{latency / 1e6:.2f}ms",
            "latency_ns_raw": latency,
            "num_answers": len(answers),
            "pkt_type": "HOST",
            "pkt_type_raw": 0,
            "qr": "R",
            "qr_raw": True,
            "ra": True,
            "rcode": "NameError" if failed else "Success",
            "rcode_raw": 3 if failed else 0,
            "src": server,
        }

    def _exec(self, container: Container) -> Fields:
        rng = self._rng
        times = {k: START_NS - rng.randrange(10**15) for k in ("ctime", "fctime", "pctime")}
        numbers = ("dev_major", "dev_minor", "inode", "tty", "tty_major", "tty_minor", "error_raw")
        texts = ("cwd", "error", "exepath", "file", "parent_exepath")
        layers = ("fupper_layer", "pupper_layer", "upper_layer")
        return {
            "args": f"/usr/bin/{container.comms[0]}\u00a0-c\u00a0--id={rng.randrange(1 << 30):x}",
            "file_from_rootfs": True,
            "from_rootfs": True,
            "loginuid": 4294967295,
            "loginuser": "uid:4294967295",
            "sessionid": 4294967295,
            **times,
            **dict.fromkeys(numbers, 0),
            **dict.fromkeys(texts, ""),
            **dict.fromkeys(layers, False),
        }


def _query(client: Fields, server: Fields) -> Fields:
    return {
        "addresses": "",
        "dst": server,
        "latency_ns": "0ns",
        "latency_ns_raw": 0,
        "num_answers": 0,
        "pkt_type": "OUTGOING",
        "pkt_type_raw": 4,
        "qr": "Q",
        "qr_raw": False,
        "ra": False,
        "rcode": "",
        "rcode_raw": 0,
        "src": client,
    }


def _endpoint(address: str, port: int, protocol: str) -> Fields:
    number = 6 if protocol == "TCP" else 17
    return {"addr": address, "port": port, "proto": protocol, "proto_raw": number, "version": 4}


def _emptied(fields: Fields) -> Fields:
    """Show what ig shows of a process outside any container."""
    blank = {str: "", int: 0, bool: False}
    return {k: _emptied(v) if isinstance(v, dict) else blank[type(v)] for k, v in fields.items()}


def main() -> None:
    """Write one file a gadget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    texts: dict[str, list[bytes]] = {gadget: [] for gadget in SHARES}
    for gadget, line in Generator(seed=options.seed).lines(options.count):
        texts[gadget].append(line)
    for gadget, lines in texts.items():
        (options.directory / f"{gadget}.jsonl").write_bytes(b"".join(lines))
        print(f"{gadget}: {len(lines)} lines, {sum(map(len, lines)) / len(lines):.0f} bytes each")


if __name__ == "__main__":
    main()
