"""A remote MCP server for the twin's tests: one tool, of 2026-07-28, on an address that is known before it runs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
TOKEN = "tide-token"
TOOL: Json = {
    "name": "tide-at",
    "description": "Tell the tide at a port.",
    "inputSchema": {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]},
}


class TideServer(ThreadingHTTPServer):
    """The server.

    Attributes:
        tool: as it lists it.
        calls: arguments it was called with.
        answer: what the tool says.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.tool = TOOL
        self.calls: list[Json] = []
        self.answer = "high"


class _Handler(BaseHTTPRequestHandler):
    server: TideServer

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["mcp-method"] != message["method"]:
            self._send(400, {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32020, "message": "no"}})
            return
        found = self._answer(message["method"], message["params"])
        self._send(200, {"jsonrpc": "2.0", "id": message["id"], "result": {"resultType": "complete", **found}})

    def _answer(self, method: str, params: Json) -> Json:
        if method == "tools/list":
            return {"tools": [self.server.tool], "ttlMs": 0}
        assert method == "tools/call"
        self.server.calls.append(params["arguments"])
        return {"content": [{"type": "text", "text": self.server.answer}]}

    def _send(self, status: int, body: Json) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Write nothing."""


@contextmanager
def serve_tides(port: int) -> Iterator[TideServer]:
    """Run the server on a port."""
    with TideServer(port) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            found.shutdown()
