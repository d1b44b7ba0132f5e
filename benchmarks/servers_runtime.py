"""Two ways to serve the Lambda Runtime API to one instance, for `benchmarks.servers`.

`direct` is the twin's: the thread that runs an invocation reads the instance's socket. `server thread` gives the
instance to an HTTP server whose thread hands over to the thread that runs the invocation, and back. A child process
plays the instance: it asks for the next invocation and posts its payload back as the result.
"""

import multiprocessing
import os
import queue
import resource
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Final

from twin.host.processes.endpoint import RuntimeEndpoint, RuntimeRequest
from twin.servers.loopback import LoopbackServer, Request, Response

_PAYLOAD: Final = b'{"message": "' + b"x" * 1000 + b'"}'
_SECONDS: Final = 30.0
_HEAD: Final = b"%b %b/2018-06-01/runtime/invocation/%b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b"


@dataclass(frozen=True)
class RuntimeSample:
    """Invocations per second; CPU microseconds and context switches of the host's process an invocation."""

    per_second: float
    cpu_us: float
    switches: float


def _play_instance(address: str) -> None:
    """Take invocations until the host closes the connection."""
    host, _, path = address.partition("/")
    name, _, port = host.partition(":")
    prefix = f"/{path}".encode() if path else b""
    with socket.create_connection((name, int(port)), _SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            connection.sendall(_HEAD % (b"GET", prefix, b"next", 0, b""))
            payload = _read_answer(connection)
            if payload is None:
                return
            connection.sendall(_HEAD % (b"POST", prefix, b"1/response", len(payload), payload))
            if _read_answer(connection) is None:
                return


def _read_answer(connection: socket.socket) -> bytes | None:
    data = b""
    while True:
        try:
            got = connection.recv(65536)
        except OSError:
            return None
        data += got
        head, end, body = data.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return body
        if not got:
            return None


def _start_instance(address: str) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_play_instance, args=(address,), daemon=True)
    process.start()
    return process


class _Direct:
    """The calling thread reads the endpoint."""

    def __init__(self) -> None:
        self._endpoint = RuntimeEndpoint()
        self._instance = _start_instance(self._endpoint.address)

    def _wait(self) -> RuntimeRequest:
        request, _ = self._endpoint.wait(_SECONDS)
        while request is None:
            request, _ = self._endpoint.wait(_SECONDS)
        return request

    def invoke(self) -> bytes:
        """Run one invocation."""
        self._wait().connection.send_response(200, {"Lambda-Runtime-Aws-Request-Id": "1"}, _PAYLOAD)
        done = self._wait()
        done.connection.send_response(202, {}, b"{}")
        return done.body

    def close(self) -> None:
        """End the instance."""
        self._endpoint.close()
        self._instance.terminate()


class _Served:
    """A server's thread reads the instance's requests and hands them over."""

    def __init__(self) -> None:
        self._next: queue.Queue[bytes] = queue.Queue()
        self._done: queue.Queue[bytes] = queue.Queue()
        self._server = LoopbackServer(self._answer, name="runtime")
        self._instance = _start_instance(self._server.start().removeprefix("http://"))

    def _answer(self, request: Request) -> Response:
        if request.method == "GET":
            return Response(200, self._next.get(timeout=_SECONDS), {"Lambda-Runtime-Aws-Request-Id": "1"})
        self._done.put(request.body)
        return Response(202, b"{}")

    def invoke(self) -> bytes:
        """Run one invocation."""
        self._next.put(_PAYLOAD)
        return self._done.get(timeout=_SECONDS)

    def close(self) -> None:
        """End the instance."""
        self._instance.terminate()
        self._server.stop()


RUNTIMES: Final[dict[str, Callable[[], _Direct | _Served]]] = {"direct": _Direct, "server thread": _Served}


def measure_runtime(name: str, seconds: float) -> RuntimeSample:
    """Invoke for some seconds.

    Raises:
        SystemExit: an invocation's result is not its payload.
    """
    runtime = RUNTIMES[name]()
    try:
        for _ in range(50):  # warm up
            runtime.invoke()
        count, began = 0, time.perf_counter()
        before, switched = os.times(), _count_switches()
        while time.perf_counter() < began + seconds:
            if runtime.invoke() != _PAYLOAD:
                raise SystemExit(f"'{name}': wrong result")
            count += 1
        elapsed, after = time.perf_counter() - began, os.times()
        used = after.user + after.system - before.user - before.system
        return RuntimeSample(count / elapsed, 1e6 * used / count, (_count_switches() - switched) / count)
    finally:
        runtime.close()


def _count_switches() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_nvcsw + used.ru_nivcsw
