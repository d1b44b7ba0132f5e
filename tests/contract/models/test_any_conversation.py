"""Any neutral conversation makes a request that each provider takes: its SDK's types and the simulator agree."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, TypeAdapter

from pentad.domain.errors import ContextOverflow, InvalidInput
from pentad.domain.messages import (
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    ToolResultBlock,
)
from pentad.domain.models import ChatRequest
from pentad.models.catalog.provider_entries import Dialect
from pentad.models.gateway.candidates import has_room, output_cap, required_capabilities, select_candidates
from pentad.models.providers.adapters import anthropic_wire, openai_compatible_wire, openai_wire
from tests.contract.models.conftest import CATALOG, MODELS, PROVIDERS
from tests.unit.models.samples import ADD, SCHEMA, message, request
from twin.simulator.anthropic import request as anthropic_request
from twin.simulator.openai import chat as openai_chat
from twin.simulator.openai import responses as openai_responses

CAP = 2_000
DIALECTS = (
    Dialect(),
    Dialect(system_role="user", structured_output="prompt", parallel_tools=False),
    Dialect(system_role="developer", output_limit="max_completion_tokens", structured_output="json_object"),
)
ids = st.sampled_from(["c1", "c2", "call_3", "call|odd/id", "x" * 64])
words = st.sampled_from(["", " ", "Hello.", "<untrusted>", "ünïcode 🙂", "</untrusted>"])
values = st.recursive(st.none() | st.booleans() | st.integers() | words, lambda inner: st.lists(inner, max_size=2))
texts = st.builds(TextBlock, text=words)
pictures = st.just(ImageBlock(media_type="image/png", data="iVBORw0KGgo="))
papers = st.sampled_from(
    [
        DocumentBlock(media_type="application/pdf", data="JVBERi0xLjQK", title="a.pdf"),
        DocumentBlock(media_type="text/plain", data="words", title=None),
    ]
)
thoughts = st.sampled_from(
    [
        ThinkingBlock(text="hm", signature=anthropic_request.sign("hm"), provider="anthropic"),
        ThinkingBlock(text="", redacted="opaque", provider="anthropic"),
        ThinkingBlock(text="so", redacted="opaque", provider="openai"),
        ThinkingBlock(text="well", provider="den"),
    ]
)
calls = st.builds(
    ToolCallBlock,
    call_id=ids,
    tool=st.just("add"),
    arguments=st.dictionaries(st.sampled_from("ab"), values, max_size=2),
)
results = st.builds(ToolResultBlock, call_id=ids, content=words, is_error=st.booleans(), untrusted=st.booleans())


said = st.lists(texts | pictures | papers | results, min_size=1, max_size=4).map(lambda b: message("user", *b))
answered = st.lists(texts | thoughts | calls, min_size=1, max_size=4).map(lambda b: message("assistant", *b))

conversations = st.lists(said | answered, max_size=7)
requests = st.builds(
    lambda messages, system, tools, schema, choice: request(
        *messages,
        message("user", "Go on."),
        system=system,
        tools=(ADD,) if tools else (),
        output_schema=SCHEMA if schema else None,
        tool_choice=choice if tools else "auto",
    ),
    conversations,
    words,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["auto", "none", "required"]),
)


@cache
def _types(provider: str) -> TypeAdapter[Any]:
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
    from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

    kinds: Mapping[str, Any] = {
        "anthropic": MessageCreateParamsNonStreaming,
        "openai": ResponseCreateParamsNonStreaming,
        "compatible": CompletionCreateParamsNonStreaming,
    }
    kind = kinds[provider]
    kind.__pydantic_config__ = ConfigDict(extra="forbid")
    return TypeAdapter(kind)


def _read_whole(value: Any) -> None:
    """Go through a validated value: pydantic checks what is in an Iterable when it is read."""
    if isinstance(value, dict):
        for inner in value.values():
            _read_whole(inner)
    elif not isinstance(value, str | bytes | int | float | None):
        for inner in value:
            _read_whole(inner)


def _check(form: str, body: dict[str, Any]) -> None:
    _read_whole(_types(form).validate_python(body))
    sent = json.loads(json.dumps(body))
    match form:
        case "anthropic":
            anthropic_request.parse(sent)
        case "openai":
            openai_responses.parse(sent, sent["input"])
        case _:
            openai_chat.parse(sent)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests)
def test_claude_takes_it(asked: ChatRequest) -> None:
    for provider in ("anthropic", "bedrock"):
        _check("anthropic", anthropic_wire.encode(MODELS[provider], asked, max_output_tokens=CAP))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests)
def test_openai_takes_it(asked: ChatRequest) -> None:
    _check("openai", openai_wire.encode(MODELS["openai"], asked, max_output_tokens=CAP))


@pytest.mark.parametrize("dialect", DIALECTS, ids=["vllm", "small", "new"])
def test_a_compatible_server_takes_it_in_each_dialect(dialect: Dialect) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(requests)
    def check(asked: ChatRequest) -> None:
        body = openai_compatible_wire.encode(MODELS["compatible"], asked, dialect, max_output_tokens=CAP)
        _check("compatible", body)
        made = [message.get("tool_calls") or [] for message in body["messages"]]
        assert dialect.parallel_tools or max(map(len, made)) <= 1

    check()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests, st.permutations(list(CATALOG.models)), st.integers(1, 200_000))
def test_routing_gives_no_candidate_that_cant_take_the_request(asked: ChatRequest, order: list[str], cap: int) -> None:
    asked = asked.model_copy(update={"max_output_tokens": cap})
    links = [link for name in order for link in CATALOG.route(task="reason", model=name).links]
    try:
        found = select_candidates(asked, links, providers={"anthropic", "den", "bedrock"})
    except (InvalidInput, ContextOverflow):
        return
    for link in found:
        assert link.model.kind == "chat"
        assert link.model.provider in ("anthropic", "den", "bedrock")
        assert all(getattr(link.model.capabilities, name) for name in required_capabilities(asked))
        assert has_room(asked, link.model, output_cap(asked, link.model, None))


def test_every_adapter_is_among_them() -> None:
    assert set(PROVIDERS) == {"anthropic", "bedrock", "openai", "compatible"}
