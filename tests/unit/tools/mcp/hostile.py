"""A remote server that says what a test tells it to say."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pentad.tools.outside.ports import HttpAnswer

Json = dict[str, Any]
ADD: Json = {
    "name": "add",
    "description": "Add two numbers.",
    "inputSchema": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
}
DISCOVER: Json = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}


def answer(
    content: str | bytes, *, status: int = 200, kind: str = "application/json", more: Mapping[str, str] | None = None
) -> HttpAnswer:
    """Return an HTTP answer."""
    body = content.encode() if isinstance(content, str) else content
    return HttpAnswer(status, {"content-type": kind, **(more or {})}, body, "https://mcp.example.com/mcp")


def result(message: Json, value: Json, more: Mapping[str, str] | None = None) -> HttpAnswer:
    """Return the answer to a message."""
    return answer(json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "result": value}), more=more)


def error(message: Json, code: int, text: str = "no", data: Any = None, status: int = 200) -> HttpAnswer:
    """Return an error of JSON-RPC."""
    body = {"jsonrpc": "2.0", "id": message.get("id"), "error": {"code": code, "message": text, "data": data}}
    return answer(json.dumps(body), status=status)


Say = Callable[[Json, Mapping[str, str]], HttpAnswer]


class ScriptedServer:
    """An `HttpClient` that answers by method; it keeps what it was asked.

    Args:
        tools: that it lists.
        call: what it answers ``tools/call``.
        modern: it serves 2026-07-28.
        more: answers of further methods.
    """

    def __init__(
        self,
        tools: Sequence[Json] = (ADD,),
        call: Say | None = None,
        *,
        modern: bool = True,
        ttl_ms: int = 0,
        more: Mapping[str, Say] | None = None,
    ) -> None:
        self.tools = list(tools)
        self.asked: list[tuple[str, Json, dict[str, str]]] = []
        self._modern = modern
        self._ttl_ms = ttl_ms
        self._call = call or (lambda message, headers: result(message, {"content": [{"type": "text", "text": "3"}]}))
        self._more = dict(more or {})

    @property
    def methods(self) -> list[str]:
        """What it was asked, in order."""
        return [method for method, _, _ in self.asked]

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, json: Any = None, **terms: Any
    ) -> HttpAnswer:
        """Answer a message."""
        name = str(json["method"])
        headers = dict(headers or {})
        self.asked.append((name, json, headers))
        if name in self._more:
            return self._more[name](json, headers)
        if name == "tools/call":
            return self._call(json, headers)
        if name == "tools/list":
            page = {"tools": self.tools, "ttlMs": self._ttl_ms, "resultType": "complete"}
            return result(json, page)
        if name == "server/discover" and self._modern:
            return result(json, DISCOVER)
        if name == "initialize" and not self._modern:
            shaken = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}
            return result(json, shaken, {"mcp-session-id": "s1"})
        if name.startswith("notifications/"):
            return answer("", status=202)
        return error(json, -32601, status=404 if self._modern else 400)
