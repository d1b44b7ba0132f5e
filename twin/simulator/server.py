"""The model simulator: an HTTP server that speaks the providers' wire formats and answers by plain rules."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any

from twin.embeddings import MiniLM, get_shared_model
from twin.servers.admission import Admission
from twin.servers.loopback import ConnectionCut, LoopbackServer, Request, Response, json_response
from twin.simulator.anthropic import request as anthropic_request
from twin.simulator.control_plane import ControlPlane
from twin.simulator.endpoints import (
    ANTHROPIC,
    OPENAI,
    AnthropicMessages,
    Endpoint,
    OpenAIChat,
    OpenAIResponses,
    default_message,
    error_body,
)
from twin.simulator.faults import Fault, FaultBoard, apply_fault
from twin.simulator.journal import Journal
from twin.simulator.neutral import Conversation, Json, Problem, Reply, ToolCall, Usage
from twin.simulator.openai.embeddings import embed
from twin.simulator.openai.wire import check_headers, dump_arguments
from twin.simulator.private_scripts import HEADER, PrivateScripts
from twin.simulator.rules.engine import RuleEngine
from twin.simulator.rules.remember import answer_memory
from twin.simulator.script import RawReply, Script
from twin.simulator.tokens import CHARACTERS_PER_TOKEN, PrefixCache, count_tokens
from twin.simulator.wire_text import holds_half_pair

MARK = {"x-twin-simulator": "1"}
BY_RULES = {"x-simulated": "rules"}
"""Of a reply that the rules made, and no script: whoever shows it should say so."""
_SLOW_PIECES = 20
_PREFIXES = {ANTHROPIC: ("claude-",), OPENAI: ("gpt-", "text-embedding-", "o1", "o3", "o4")}
_LOOK_SECONDS = 0.05
_WINDOWS = {ANTHROPIC: 200_000, OPENAI: 400_000}


def _today() -> date:
    return datetime.now(UTC).date()


class Simulator:
    """``Simulator().start()`` gives a base URL: as it is for anthropic, with ``/v1`` for openai."""

    def __init__(
        self,
        models: Mapping[str, int] | None = None,
        *,
        seed: str | None = None,
        embedder: MiniLM | None = None,
        clock: Callable[[], float] = time.time,
        today: Callable[[], date] = _today,
        hosts: Collection[str] = (),
    ) -> None:
        """Configure the simulator.

        Args:
            models: Known model ids with their context windows in tokens; by default every ``claude-``, ``gpt-`` and
                ``text-embedding-`` id is known.
            seed: Makes ids repeat from run to run.
            embedder: The embedder; by default the process's shared one.
            clock: Returns seconds, for timestamps and cache lifetimes.
            today: Returns the day that "today" means.
            hosts: Names of this machine that requests may have beside ``localhost``.
        """
        self._models = dict(models) if models is not None else None
        self._seed, self._numbers = seed, itertools.count(1)
        self._embedder = embedder or get_shared_model()
        self._clock = clock
        self._engine = RuleEngine(today)
        self._cache = PrefixCache(clock)
        self._stopping = threading.Event()
        self.faults, self.script, self.journal = FaultBoard(), Script(), Journal()
        self.private_scripts = PrivateScripts()
        self._control = ControlPlane(self.faults, self.script, self.private_scripts, self.journal, self._cache)
        self._endpoints: dict[str, Endpoint] = {
            "/v1/messages": AnthropicMessages(),
            "/v1/chat/completions": OpenAIChat(),
            "/v1/responses": OpenAIResponses(),
        }
        self._server = LoopbackServer(self._serve, name="twin-simulator", admission=Admission(hosts), private=True)

    @property
    def url(self) -> str:
        """The base URL while running."""
        return self._server.url

    def start(self, port: int = 0) -> str:
        """Serve in the background and return the base URL."""
        self._stopping.clear()
        return self._server.start(port)

    def stop(self) -> None:
        """Stop serving; calls that hang on a fault end."""
        self._stopping.set()
        self._server.stop()

    def __enter__(self) -> Simulator:
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self.stop()

    def _serve(self, request: Request) -> Response:
        if request.path.startswith("/_simulator/"):
            return self._control(request)
        call = _Call(self, request)
        call.begin()
        try:
            response = call.answer()
        except ConnectionCut:
            call.record(0, 0)
            raise
        except Problem as problem:
            response = json_response(problem.status, error_body(call.provider, problem, call.request_id))
        call.record(response.status, len(response.body) if isinstance(response.body, bytes) else None)
        named = {"request-id": call.request_id, "x-request-id": call.request_id}
        return replace(response, headers={**MARK, **named, **response.headers})

    def generate_id(self, prefix: str) -> str:
        """Return a fresh id, or the next of a repeatable row."""
        if self._seed is None:
            return f"{prefix}{uuid.uuid4().hex[:24]}"
        return prefix + hashlib.sha256(f"{self._seed}/{next(self._numbers)}".encode()).hexdigest()[:24]

    def wait_for_end(self, fault: Fault) -> None:
        """Wait until a fault's seconds are over, it is cleared, or the simulator stops."""
        end = time.monotonic() + fault.seconds
        while (left := end - time.monotonic()) > 0 and self.faults.is_held(fault):
            if self._stopping.wait(min(left, _LOOK_SECONDS)):
                return

    def get_window(self, provider: str, model: str) -> int:
        """Return a model's context window in tokens.

        Raises:
            Problem: 404 if the model is unknown to the provider.
        """
        known = self._models is None or model in self._models
        if not known or not (self._models or model.startswith(_PREFIXES[provider])):
            if provider == ANTHROPIC:
                raise Problem(404, f"model: {model}")
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise Problem(404, message, kind="invalid_request_error", code="model_not_found")
        return (self._models or {}).get(model, _WINDOWS[provider])


class _Call:
    """One provider call, from its bytes to its reply."""

    def __init__(self, simulator: Simulator, request: Request) -> None:
        self._simulator, self._request = simulator, request
        self.request_id = simulator.generate_id("req_")
        self._endpoint = simulator._endpoints.get(request.path)
        spoken = "anthropic-version" in request.headers or "x-api-key" in request.headers
        known = self._endpoint.provider if self._endpoint else None
        self.provider = known or (ANTHROPIC if spoken or request.path.startswith("/v1/messages") else OPENAI)
        self._body: Any = None
        try:
            self._body = request.json() if request.body else None
            self._body = None if holds_half_pair(self._body) else self._body
        except ValueError:
            self._body = None  # the endpoint refuses it in its provider's words
        self._model = str(self._body.get("model", "")) if isinstance(self._body, dict) else ""
        self._name = request.headers.get(HEADER, "")
        self._fault: Fault | None = None
        self._entry: dict[str, Any] = {}
        self._made_by: Mapping[str, str] = {}
        self._came_in = simulator.script.generation

    def begin(self) -> None:
        """Write the journal as the request arrives: one that hangs is there while it hangs, with no status yet."""
        body = self._body if isinstance(self._body, dict) else {}
        self._entry = self._simulator.journal.begin(
            self._request.headers,
            provider=self.provider,
            path=self._request.path,
            model=self._model,
            status=None,
            stream=bool(body.get("stream")),
            fault=None,
            request_id=self.request_id,
            request_bytes=len(self._request.body),
            response_bytes=None,
        )

    def record(self, status: int, size: int | None) -> None:
        """Complete the journal's entry; a status of 0 is a connection that ended without one."""
        kind = self._fault.kind if self._fault else None
        self._simulator.journal.end(self._entry, status=status, fault=kind, response_bytes=size)

    def answer(self) -> Response:
        """Return the reply; raises Problem or ConnectionCut."""
        said = self._request.body.decode("utf-8", "replace")
        self._fault = self._simulator.faults.take(self.provider, self._request.path, self._model, said, self._name)
        if self._fault is not None and (early := self._apply_early_fault(self._fault)) is not None:
            return early
        if self._endpoint is not None and self._request.method == "POST":
            return self._generate(self._endpoint)
        return self._answer_plain()

    def _apply_early_fault(self, fault: Fault) -> Response | None:
        if fault.kind in ("timeout", "delay"):
            self._simulator.wait_for_end(fault)
            if fault.kind == "timeout":
                raise ConnectionCut
        if fault.kind == "reset":
            raise ConnectionCut(reset=True)
        if fault.kind == "html":
            page = f"<html><body><h1>{fault.status or 502} Bad Gateway</h1></body></html>".encode()
            return Response(fault.status or 502, page, {"content-type": "text/html", **fault.headers})
        if fault.kind == "status":
            problem = Problem(fault.status, default_message(self.provider, fault.status, self._model))
            body = fault.body if fault.body is not None else error_body(self.provider, problem, self.request_id)
            return json_response(fault.status, body, fault.headers)
        if fault.kind == "context_overflow" and self._endpoint is not None:
            window = self._simulator.get_window(self.provider, self._model)
            raise self._endpoint.build_overflow(
                max(window + 1, self._endpoint.count_prompt_tokens(self._body or {})), window
            )
        return None

    def _generate(self, endpoint: Endpoint) -> Response:
        endpoint.check(self._request.headers)
        conversation = endpoint.parse(self._body)
        window = self._simulator.get_window(self.provider, conversation.model)
        tokens = endpoint.count_prompt_tokens(self._body)
        if tokens > window:
            raise endpoint.build_overflow(tokens, window)
        reply = self._choose_reply(conversation, endpoint.call_prefix)
        if isinstance(reply, RawReply):
            return json_response(reply.status, reply.body, reply.headers)
        if self._fault is not None:
            reply = apply_fault(self._fault, reply, conversation)
        reply = self._finish_reply(reply, conversation, endpoint, tokens)
        reply_id, created = self._simulator.generate_id(endpoint.id_prefix), int(self._simulator._clock())
        if conversation.stream:
            pieces = endpoint.stream(reply, self._body, reply_id, created)
            headers = {"content-type": "text/event-stream; charset=utf-8", **self._made_by}
            return Response(200, self._pace(pieces), headers)
        return self._build_response(endpoint.render(reply, self._body, reply_id, created))

    def _pace(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Return a stream as a fault lets it go out: cut, or slowly."""
        kind = self._fault.kind if self._fault else ""
        if kind == "cut_stream":
            return _send_half(pieces)
        return self._send_slowly(pieces) if kind == "slow" else pieces

    def _send_slowly(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Send a reply that is well, a piece at a time."""
        everything = list(pieces)
        pause = (self._fault.seconds if self._fault else 0.0) / max(1, len(everything))
        for piece in everything:
            self._simulator._stopping.wait(pause)
            yield piece

    def _build_response(self, body: Json) -> Response:
        response = json_response(200, body, self._made_by)
        kind = self._fault.kind if self._fault else ""
        if kind == "slow" and isinstance(response.body, bytes):
            size = -(-len(response.body) // _SLOW_PIECES)
            parts = [response.body[at : at + size] for at in range(0, len(response.body), size)]
            return replace(response, body=self._send_slowly(iter(parts)))
        if kind not in ("half_json", "cut_stream") or not isinstance(response.body, bytes):
            return response
        half = response.body[: len(response.body) // 2]
        return replace(response, body=half if kind == "half_json" else _send_half(iter([half])))

    def _choose_reply(self, conversation: Conversation, call_prefix: str) -> Reply | RawReply:
        seen = {"provider": self.provider, "path": self._request.path, "model": self._model}
        remembered = answer_memory(conversation)
        if remembered is not None:
            self._made_by = BY_RULES
            return Reply(text=remembered)
        own = self._simulator.private_scripts.take(self._name, seen, conversation, call_prefix)
        if own is not None:
            return own
        script = self._simulator.script
        if not script.active or script.generation != self._came_in:
            self._made_by = BY_RULES
            return self._simulator._engine.generate_reply(conversation)
        text = "\n".join([conversation.system, *(turn.text for turn in conversation.turns)])
        return script.take(self.provider, self._request.path, self._model, text)

    def _finish_reply(self, reply: Reply, conversation: Conversation, endpoint: Endpoint, tokens: int) -> Reply:
        """Name the calls, think if asked to, keep to the limits and count."""
        calls = tuple(
            replace(call, id=call.id or self._simulator.generate_id(endpoint.call_prefix)) for call in reply.calls
        )
        reply = replace(reply, calls=calls)
        if conversation.thinking and not reply.thinking and reply.stop != "refusal":
            reply = replace(reply, thinking=_generate_thinking(reply))
        reply = _apply_limits(reply, conversation)
        if reply.usage is not None:
            return reply
        met = endpoint.use_cache(f"{self.provider} {conversation.model}", self._body, self._simulator._cache)
        spoken = reply.text + "".join(call.name + dump_arguments(call) for call in reply.calls)
        thinking = count_tokens(reply.thinking)
        usage = Usage(
            input=tokens,
            output=max(1, count_tokens(spoken) + thinking),
            thinking=thinking,
            cache_read=met.read,
            cache_write_5m=met.write_5m,
            cache_write_1h=met.write_1h,
            cache_write=met.write,
        )
        return replace(reply, usage=usage)

    def _answer_plain(self) -> Response:
        """Answer the endpoints that generate nothing."""
        method, path = self._request.method, self._request.path
        if method == "POST" and path == "/v1/embeddings":
            check_headers(self._request.headers)
            self._simulator.get_window(OPENAI, self._model)
            return json_response(200, embed(self._body, self._simulator._embedder))
        if method == "POST" and path == "/v1/messages/count_tokens":
            anthropic_request.check_headers(self._request.headers)
            conversation = anthropic_request.parse(self._body, counting=True)
            self._simulator.get_window(ANTHROPIC, conversation.model)
            return json_response(200, {"input_tokens": AnthropicMessages().count_prompt_tokens(self._body)})
        if method == "GET" and path.startswith("/v1/models"):
            return self._list_models(path.removeprefix("/v1/models").strip("/"))
        raise Problem(404, f"Not found: {method} {path}")

    def _list_models(self, wanted: str) -> Response:
        checks = {ANTHROPIC: anthropic_request.check_headers, OPENAI: check_headers}
        checks[self.provider](self._request.headers)
        if wanted:
            self._simulator.get_window(self.provider, wanted)
            return json_response(200, self._describe_model(wanted))
        names = [name for name in self._simulator._models or {} if name.startswith(_PREFIXES[self.provider])]
        data = [self._describe_model(name) for name in names]
        if self.provider == OPENAI:
            return json_response(200, {"object": "list", "data": data})
        ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
        return json_response(200, {"data": data, "has_more": False, **ends})

    def _describe_model(self, name: str) -> Json:
        if self.provider == OPENAI:
            return {"id": name, "object": "model", "created": 0, "owned_by": "twin-simulator"}
        return {
            "type": "model",
            "id": name,
            "display_name": f"{name} (simulator)",
            "created_at": "1970-01-01T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": self._simulator.get_window(ANTHROPIC, name),
        }


def _generate_thinking(reply: Reply) -> str:
    if reply.calls:
        names = ", ".join(call.name for call in reply.calls)
        return f"The question asks for something that a tool provides, so I call: {names}."
    return "I look for the sentences that speak to the question and put them in reading order."


def _apply_limits(reply: Reply, conversation: Conversation) -> Reply:
    """Cut at a stop sequence or at the output limit, as a model would stop there."""
    for sequence in conversation.stop_sequences:
        if sequence and sequence in reply.text:
            text = reply.text[: reply.text.index(sequence)]
            reply = replace(reply, text=text, stop="stop_sequence", stop_sequence=sequence)
    if conversation.max_tokens is None:
        return reply
    room = conversation.max_tokens * CHARACTERS_PER_TOKEN - len(reply.thinking)
    if len(reply.text) > max(0, room):
        return replace(reply, text=reply.text[: max(0, room)], calls=(), stop="max_tokens")
    room -= len(reply.text)
    kept: list[ToolCall] = []
    for call in reply.calls:
        text = dump_arguments(call)
        if len(call.name) + len(text) > room:
            return replace(reply, calls=(*kept, replace(call, raw_arguments=text[: max(0, room)])), stop="max_tokens")
        kept.append(call)
        room -= len(call.name) + len(text)
    return reply


def _send_half(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Send the first half of a stream, then hang up."""
    everything = list(pieces)
    yield from everything[: max(1, len(everything) // 2)]
    raise ConnectionCut
