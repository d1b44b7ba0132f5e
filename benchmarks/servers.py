"""Compare HTTP servers for the twin side by side: ``python -m benchmarks.servers``.

Each candidate runs in a process of its own and answers every request with its body. One client asks over 1 and over 16
kept connections; the candidates take turns in rounds. Reported are requests per second and the processor's time that
the server's process uses for a request, both also as a ratio to the twin's server in the same round. CPU time is the
figure to compare: on a machine that does other work too, requests per second say more about that work.

A second part compares the two ways to serve the Lambda Runtime API: the thread that runs an invocation reads the
instance's socket itself, or a server's thread does and hands over.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from selectors import EVENT_READ, BaseSelector, DefaultSelector
from statistics import median
from typing import Any

import psutil

from benchmarks.servers_candidates import OURS, SERVERS, serve_candidate
from benchmarks.servers_runtime import RUNTIMES, RuntimeSample, measure_runtime

REPORT = Path(".pentad/bench-servers.json")
CONNECTIONS = (1, 16)
_START_SECONDS = 30.0
_ANSWER_SECONDS = 30.0
_BODY = b'{"Key": {"pk": {"S": "T#acme"}}, "TableName": "pentad-dev-state", "Padding": "' + b"x" * 400 + b'"}'
_REQUEST = (
    b"POST /v1/things?a=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Encoding: identity\r\nContent-Type: application/json"
    b"\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\nUser-Agent: benchmark\r\nX-Amz-Date: 20261129T210000Z\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20261129/us-east-1/dynamodb/aws4_request, Signature=0\r\n"
    b"Content-Length: %d\r\n\r\n%b"
)


@dataclass(frozen=True)
class Sample:
    """One round of one candidate: requests per second, and CPU microseconds of the server's process a request."""

    per_second: float
    cpu_us: float


@dataclass(frozen=True)
class Row:
    """A candidate's rounds at a number of connections. Ratios are to the twin's server, round by round."""

    server: str
    connections: int
    per_second: float
    cpu_us: float
    speed_ratio: float
    cpu_ratio: float
    cpu_ratio_least: float
    cpu_ratio_most: float


@contextmanager
def run_server(name: str) -> Iterator[tuple[psutil.Process, int]]:
    """Run a candidate in a process of its own; gives the process and its port."""
    command = [sys.executable, "-m", "benchmarks.servers", "--serve", name]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.strip().isdigit():
                raise SystemExit(f"the server '{name}' did not start")
            yield psutil.Process(process.pid), int(line)
        finally:
            process.kill()


class _Client:
    """One connection with one request under way; it is opened again where the server closed it after an answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._request = _REQUEST % (port, len(_BODY), _BODY)
        self._buffer = b""
        self._connect()

    def _connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), _ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, selector: BaseSelector) -> None:
        """Send the request."""
        try:
            self.socket.sendall(self._request)
        except OSError:
            self.reopen(selector)

    def reopen(self, selector: BaseSelector) -> None:
        """Connect and ask again."""
        selector.unregister(self.socket)
        self.socket.close()
        self._connect()
        selector.register(self.socket, EVENT_READ, self)
        self.socket.sendall(self._request)

    def take(self, selector: BaseSelector) -> bool:
        """Read; True once the answer is complete.

        Raises:
            SystemExit: the answer is not the request's body.
        """
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data and not self._buffer:
            self.reopen(selector)  # cheroot keeps ten connections and closes the others
            return False
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if data and (not end or len(body) < len(_BODY)):
            return False
        if not head.startswith(b"HTTP/1.1 200 ") or body != _BODY:
            raise SystemExit(f"wrong answer: {self._buffer[:200]!r}")
        self._buffer = b""
        return True


def measure_server(process: psutil.Process, port: int, connections: int, seconds: float) -> Sample:
    """Ask over kept connections for some seconds; each asks again when it is answered."""
    clients = [_Client(port) for _ in range(connections)]
    with DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, EVENT_READ, client)
            client.ask(selector)
        answered, before, began = 0, process.cpu_times(), time.perf_counter()
        while time.perf_counter() < began + seconds:
            for key, _ in selector.select(_ANSWER_SECONDS):
                if key.data.take(selector):
                    answered += 1
                    key.data.ask(selector)
        elapsed, after = time.perf_counter() - began, process.cpu_times()
    for client in clients:
        client.socket.close()
    used = after.user + after.system - before.user - before.system
    return Sample(answered / elapsed, 1e6 * used / max(answered, 1))


def measure_servers(names: Sequence[str], rounds: int, seconds: float) -> dict[tuple[str, int], list[Sample]]:
    """Let the candidates take turns; the first round warms up and is not counted."""
    found: dict[tuple[str, int], list[Sample]] = {(name, count): [] for name in names for count in CONNECTIONS}
    with ExitStack() as stack:
        running = {name: stack.enter_context(run_server(name)) for name in names}
        for turn in range(rounds + 1):
            for count in CONNECTIONS:
                for name in names if turn % 2 else reversed(names):
                    sample = measure_server(*running[name], count, seconds if turn else seconds / 4)
                    if turn:
                        found[name, count].append(sample)
    return found


def summarise(found: dict[tuple[str, int], list[Sample]]) -> list[Row]:
    """Return one row a candidate and number of connections."""
    rows = []
    for (name, count), samples in found.items():
        ours = found[OURS, count]
        cpu = [one.cpu_us / max(own.cpu_us, 0.001) for one, own in zip(samples, ours, strict=True)]
        speed = [one.per_second / own.per_second for one, own in zip(samples, ours, strict=True)]
        rows.append(
            Row(
                name,
                count,
                round(median(one.per_second for one in samples)),
                round(median(one.cpu_us for one in samples), 1),
                round(median(speed), 2),
                round(median(cpu), 2),
                round(min(cpu), 2),
                round(max(cpu), 2),
            )
        )
    return sorted(rows, key=lambda row: (row.connections, row.cpu_ratio))


def print_report(rows: Sequence[Row], runtimes: dict[str, list[RuntimeSample]], say: Callable[[str], None]) -> None:
    """Print both tables as Markdown."""
    say("| server | connections | requests/s | CPU µs a request | speed ratio | CPU ratio (least / median / most) |")
    say("|---|---|---|---|---|---|")
    for row in rows:
        cpu = f"{row.cpu_ratio_least:.2f} / {row.cpu_ratio:.2f} / {row.cpu_ratio_most:.2f}"
        say(
            f"| {row.server} | {row.connections} | {row.per_second:,.0f} | {row.cpu_us:.0f} "
            f"| {row.speed_ratio:.2f} | {cpu} |"
        )
    say("")
    say("| Runtime API | invocations/s | CPU µs an invocation | context switches an invocation |")
    say("|---|---|---|---|")
    for name, samples in runtimes.items():
        speed, cpu_us, switches = (
            median(getattr(one, field) for one in samples) for field in ("per_second", "cpu_us", "switches")
        )
        say(f"| {name} | {speed:,.0f} | {cpu_us:.0f} | {switches:.1f} |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status is 1 only where a candidate does not answer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.servers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds a candidate and number of connections")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a round")
    parser.add_argument("--json", action="store_true", help=f"write {REPORT} too")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve_candidate(options.serve)
        return 0
    missing = [name for name, (_, package) in SERVERS.items() if package and find_spec(package) is None]
    names = [name for name in SERVERS if name not in missing]
    load = os.getloadavg()[0]
    rows = summarise(measure_servers(names, options.rounds, options.seconds))
    runtimes = {name: [measure_runtime(name, options.seconds) for _ in range(options.rounds)] for name in RUNTIMES}
    print_report(rows, runtimes, print)
    for name in missing:
        print(f"left out: '{name}' is not installed")
    print(f"load at the start: {load:.1f}")
    if options.json:
        report: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "load": load,
            "servers": [asdict(row) for row in rows],
            "runtime": {name: [asdict(one) for one in samples] for name, samples in runtimes.items()},
        }
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
