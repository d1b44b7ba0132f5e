"""The generation endpoints behind one interface: read a request, write a reply."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from twin.simulator.anthropic import reply as anthropic_reply
from twin.simulator.anthropic import request as anthropic_request
from twin.simulator.anthropic.search_results import list_results
from twin.simulator.neutral import Conversation, Json, Problem, Reply
from twin.simulator.openai import chat as openai_chat
from twin.simulator.openai import responses as openai_responses
from twin.simulator.openai import wire as openai_wire
from twin.simulator.tokens import CacheUse, PrefixCache, count_tokens

ANTHROPIC, OPENAI = "anthropic", "openai"


class Endpoint(Protocol):
    """One wire format of a provider."""

    provider: str
    id_prefix: str
    call_prefix: str

    def check(self, headers: Mapping[str, str]) -> None:
        """Check the key; raises Problem."""

    def parse(self, body: Any) -> Conversation:
        """Validate and read; raises Problem."""

    def count_prompt_tokens(self, body: Json) -> int:
        """Return the tokens of the whole prompt."""

    def use_cache(self, scope: str, body: Json, cache: PrefixCache) -> CacheUse:
        """Let the prompt meet the provider's cache."""

    def render(self, reply: Reply, body: Json, reply_id: str, created: int) -> Json:
        """Return the reply in one piece."""

    def stream(self, reply: Reply, body: Json, reply_id: str, created: int) -> Iterator[bytes]:
        """Return the reply as server-sent events."""

    def build_overflow(self, tokens: int, window: int) -> Problem:
        """Return the refusal of a prompt over the context window."""


class AnthropicMessages:
    """``POST /v1/messages``."""

    provider, id_prefix, call_prefix = ANTHROPIC, "msg_", "toolu_"

    def check(self, headers: Mapping[str, str]) -> None:
        """Check the key and the version."""
        anthropic_request.check_headers(headers)

    def parse(self, body: Any) -> Conversation:
        """Validate and read."""
        return anthropic_request.parse(body)

    def count_prompt_tokens(self, body: Json) -> int:
        """Return the tokens of the whole prompt."""
        return sum(count_tokens(segment.text) for segment in anthropic_request.list_segments(body))

    def use_cache(self, scope: str, body: Json, cache: PrefixCache) -> CacheUse:
        """Apply the breakpoints."""
        return cache.use_breakpoints(scope, anthropic_request.list_segments(body))

    def render(self, reply: Reply, body: Json, reply_id: str, created: int) -> Json:
        """Return a message."""
        return anthropic_reply.build_message(reply, body["model"], reply_id, list_results(body))

    def stream(self, reply: Reply, body: Json, reply_id: str, created: int) -> Iterator[bytes]:
        """Return a message as events."""
        return anthropic_reply.stream_message(reply, body["model"], reply_id, list_results(body))

    def build_overflow(self, tokens: int, window: int) -> Problem:
        """Return the refusal."""
        return Problem(400, f"prompt is too long: {tokens} tokens > {window} maximum")


class _OpenAI:
    provider, id_prefix, call_prefix = OPENAI, "chatcmpl-", "call_"

    def check(self, headers: Mapping[str, str]) -> None:
        """Check the key."""
        openai_wire.check_headers(headers)

    def _build_prompt(self, body: Json) -> str:
        parts = [body.get("tools"), body.get("instructions"), body.get("messages") or body.get("input")]
        return json.dumps([part for part in parts if part], separators=(",", ":"), ensure_ascii=False)

    def count_prompt_tokens(self, body: Json) -> int:
        """Return the tokens of the whole prompt."""
        return count_tokens(self._build_prompt(body))

    def use_cache(self, scope: str, body: Json, cache: PrefixCache) -> CacheUse:
        """Apply the automatic cache; ``prompt_cache_key`` sets prompts apart."""
        return cache.use_prefix(f"{scope} {body.get('prompt_cache_key', '')}", self._build_prompt(body))

    def build_overflow(self, tokens: int, window: int) -> Problem:
        """Return the refusal."""
        return Problem(
            400,
            f"This model's maximum context length is {window} tokens. However, your messages resulted in "
            f"{tokens} tokens. Please reduce the length of the messages.",
            param="messages",
            code="context_length_exceeded",
        )


class OpenAIChat(_OpenAI):
    """``POST /v1/chat/completions``."""

    def parse(self, body: Any) -> Conversation:
        """Validate and read."""
        return openai_chat.parse(body)

    def render(self, reply: Reply, body: Json, reply_id: str, created: int) -> Json:
        """Return a completion."""
        return openai_chat.build_completion(reply, body["model"], reply_id, created)

    def stream(self, reply: Reply, body: Json, reply_id: str, created: int) -> Iterator[bytes]:
        """Return a completion as chunks."""
        return openai_chat.stream_completion(reply, body["model"], reply_id, created, body)


class OpenAIResponses(_OpenAI):
    """``POST /v1/responses``."""

    id_prefix = "resp_"

    def __init__(self) -> None:
        self._store = openai_responses.ResponseStore()

    def parse(self, body: Any) -> Conversation:
        """Validate and read."""
        openai_wire.check_model(body)
        return openai_responses.parse(body, self._store.resolve_items(body))

    def render(self, reply: Reply, body: Json, reply_id: str, created: int) -> Json:
        """Return a response, and keep it for those that build on it."""
        built = openai_responses.build_response(reply, body, reply_id, created)
        if built["store"]:
            self._store.remember(reply_id, [*self._store.resolve_items(body), *built["output"]])
        return built

    def stream(self, reply: Reply, body: Json, reply_id: str, created: int) -> Iterator[bytes]:
        """Return a response as events."""
        self.render(reply, body, reply_id, created)
        return openai_responses.stream_response(reply, body, reply_id, created)


def error_body(provider: str, problem: Problem, request_id: str) -> Json:
    """Return an error in the provider's shape."""
    return (
        anthropic_reply.build_error(problem, request_id) if provider == ANTHROPIC else openai_wire.build_error(problem)
    )


def default_message(provider: str, status: int, model: str) -> str:
    """Return what the provider says with a status."""
    if provider == ANTHROPIC:
        return anthropic_reply.MESSAGES.get(status, f"Error {status}")
    if status == 429:
        return f"Rate limit reached for {model} on requests per min (RPM). Please try again later."
    return openai_wire.MESSAGES.get(status, f"Error {status}")
