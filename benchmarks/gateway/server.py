"""A provider that answers at once: ``/<contender>/up/...`` with a reply, ``/<contender>/down/...`` with a 529.

It runs in its own process, so that its work is not in anybody's times. ``GET /counts`` returns how many came, by
contender; it ends with its standard input.
"""

import asyncio
import json
import sys
import threading
from collections import Counter
from typing import Any

from benchmarks.gateway.field import ANSWER, ANTHROPIC_MODEL, OPENAI_MODEL

_MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": ANTHROPIC_MODEL,
    "content": [{"type": "text", "text": ANSWER}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 60,
        "output_tokens": 24,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    },
}
_RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": OPENAI_MODEL,
    "output": [
        {
            "id": "out_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": ANSWER, "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": {
        "input_tokens": 60,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 24,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 84,
    },
}
_COMPLETION: dict[str, Any] = {
    "id": "chatcmpl_1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": OPENAI_MODEL,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
    "usage": {"prompt_tokens": 60, "completion_tokens": 24, "total_tokens": 84},
}
_OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def packed(status: str, body: Any, *headers: str) -> bytes:
    """Return a whole HTTP response."""
    data = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(data)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


_REPLIES = {
    b"messages": packed("200 OK", _MESSAGE, "request-id: req_1"),
    b"responses": packed("200 OK", _RESPONSE, "x-request-id: req_1"),
    b"completions": packed("200 OK", _COMPLETION, "x-request-id: req_1"),
}
# It asks to wait for longer than any caller has: the way on is another provider, at once.
_DOWN = packed("529 Overloaded", _OVERLOADED, "retry-after: 86400", "request-id: req_1")
_UNKNOWN = packed("404 Not Found", {})


def answer(target: bytes, counts: Counter[str]) -> bytes:
    """Return the response to a request, which is counted."""
    path = target.partition(b"?")[0].split(b"/")
    if path == [b"", b"counts"]:
        return packed("200 OK", counts)
    if len(path) < 4 or path[2] not in (b"up", b"down"):
        return _UNKNOWN
    counts[f"{path[1].decode()}/{path[2].decode()}"] += 1
    return _DOWN if path[2] == b"down" else _REPLIES.get(path[-1], _UNKNOWN)


def split(buffer: bytes) -> tuple[bytes, int] | None:
    """Return the target of the first whole request in a buffer, and how long it is; None where there is none yet."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *headers = buffer[:end].split(b"\r\n")
    size = 0
    for header in headers:
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    length = end + 4 + size
    return (first.split(b" ")[1], length) if len(buffer) >= length else None


class _Connection(asyncio.Protocol):
    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (found := split(self._buffer)) is not None:
            target, length = found
            self._buffer = self._buffer[length:]
            self._transport.write(answer(target, self._counts))


async def _serve() -> None:
    loop, counts = asyncio.get_running_loop(), Counter[str]()
    server = await loop.create_server(lambda: _Connection(counts), "127.0.0.1", 0)
    ended = asyncio.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
