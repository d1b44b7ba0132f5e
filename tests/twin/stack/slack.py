"""Slack as a test sees it: a server on this machine that takes posts, and answers what its path says."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Slack:
    """What was posted, by path; ``/status/CODE`` answers that code, ``/throttled`` 429 at first."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.tries: list[str] = []
        self._lock = threading.Lock()
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name is the protocol's
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = json.loads(body)
                slack.bodies.append(message)
                status, headers = slack.take(self.path, message["text"])
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, path: str, text: str) -> tuple[int, dict[str, str]]:
        """Take a post and return status and headers."""
        with self._lock:
            again = path in self.tries
            self.tries.append(path)
            if path.startswith("/status/"):
                code = int(path.rsplit("/", 1)[1])
                return code, {"Location": f"{self.url}/redirected"} if 300 <= code < 400 else {}
            if path == "/throttled" and not again:
                return 429, {"Retry-After": "0"}
            self.posts.append((path, text))
            return 200, {}

    def about(self, reference: str) -> list[str]:
        """Return the texts that name an approval."""
        with self._lock:
            return [text for _, text in self.posts if reference in text]

    @contextmanager
    def serving(self) -> Iterator["Slack"]:
        """Serve for the length of a with block."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join(timeout=10)
            self._server.server_close()
