"""A server on the loopback interface that a vendor's behaviour is put into, with faults on demand."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pentad.tools.egress.adapters.resolver_system import SystemResolver
from pentad.tools.egress.adapters.wire_httpcore import HttpcoreWire
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.client import EgressClient
from pentad.tools.outside.ports import HttpAnswer

TOKEN = "token-of-a-test"


@dataclass(frozen=True)
class Asked:
    """A request as the server got it."""

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What the server answers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    Args:
        done: the request is carried out all the same.
        reply: what is answered; None hangs up.
        method: which request; the next of this method.
    """

    done: bool
    reply: Reply | None
    method: str


class Vendor:
    """A vendor's behaviour: a subclass says what it answers.

    Attributes:
        asked: all requests, in their order.
        faults: what goes wrong, each once.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.lock = threading.Lock()

    def respond(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def serve(self, asked: Asked) -> Reply | None:
        with self.lock:
            self.asked.append(asked)
            fault = next((one for one in self.faults if one.method == asked.method), None)
            if fault is None:
                return self.respond(asked)
            self.faults.remove(fault)
            if fault.done:
                self.respond(asked)
            return fault.reply


@contextmanager
def listen(vendor: Vendor, port: int = 0) -> Iterator[str]:
    """Serve a vendor and yield its address; at any free port where none is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            parts = urlsplit(self.path)
            asked = Asked(
                self.command,
                tuple(unquote(one) for one in parts.path.split("/")[1:]),
                {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            reply = vendor.serve(asked)
            if reply is None:
                self.close_connection = True
                return
            raw = isinstance(reply.body, bytes)
            body = reply.body if raw else b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_REPORT = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class PlainHttp:
    """The HTTP client of tools, with an allowlist that always has the address that is asked for."""

    def __init__(self) -> None:
        self._wire = HttpcoreWire()

    def request(self, method: str, url: str, **given: Any) -> HttpAnswer:
        parts = urlsplit(url)
        allowlist = Allowlist([f"{parts.scheme}://{parts.netloc}"])
        return EgressClient(allowlist, resolver=SystemResolver(), wire=self._wire).request(method, url, **given)
