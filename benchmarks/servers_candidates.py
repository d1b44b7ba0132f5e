"""The servers that `benchmarks.servers` compares: each answers a request with the request's body.

Beside the twin's own stand the libraries that served its endpoints before, set up as they were then.
"""

import io
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

Serve = Callable[[], int]
"""Serves in the background and returns the port."""
OURS: Final = "the twin's"


def serve_ours() -> int:
    """Serve with the twin's server."""
    from twin.servers.loopback import LoopbackServer, Request, Response

    def answer(request: Request) -> Response:
        return Response(200, request.body, {"content-type": request.headers["content-type"]})

    return int(LoopbackServer(answer, name="ours").start().rsplit(":", 1)[1].partition("/")[0])


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", headers["content-type"])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def serve_http_server() -> int:
    """Serve with the standard library's threading server, as the stand-ins of providers were."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def serve_werkzeug() -> int:
    """Serve with werkzeug and moto's request handler, as the AWS endpoint was."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import ThreadedWSGIServer

    class Handler(MotoRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

        def run_wsgi(self) -> None:
            environ = self.make_environ()
            body = self.rfile.read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
            self.send_response(200)
            self.send_header("Content-Type", environ["CONTENT_TYPE"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    server = ThreadedWSGIServer("127.0.0.1", 0, lambda *_: [], handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def serve_cheroot() -> int:
    """Serve with cheroot, as HTTP APIs were."""
    from cheroot.wsgi import Server

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        headers = [("content-type", environ["CONTENT_TYPE"]), ("content-length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    server = Server(("127.0.0.1", 0), application, numthreads=32, request_queue_size=128, timeout=30)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    return int(server.bind_addr[1])


SERVERS: Final[dict[str, tuple[Serve, str | None]]] = {
    OURS: (serve_ours, None),
    "http.server": (serve_http_server, None),
    "werkzeug": (serve_werkzeug, "werkzeug"),
    "cheroot": (serve_cheroot, "cheroot"),
}
"""Each candidate, and the package that it needs."""


def serve_candidate(name: str) -> None:
    """Serve one candidate, print its port, and end with the parent."""
    print(SERVERS[name][0](), flush=True)
    sys.stdin.read()
