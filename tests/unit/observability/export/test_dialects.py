"""What each tracing product is told of a span beside the conventions' names."""

import json
from typing import Any

import pytest

from pentad.observability.export.dialects import KINDS, convert_span
from pentad.observability.spans.conventions import OPERATIONS
from tests.unit.observability.export.test_targets import target

CHAT = {
    "name": "chat claude",
    "attributes": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude",
        "gen_ai.conversation.id": "ses_1",
        "gen_ai.usage.cache_write.input_tokens": 7,
        "pentad.cost.nanousd": 1_500_000,
    },
}
ROOT = {
    "name": "invoke_agent a",
    "attributes": {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.usage.input_tokens": 7,
        "pentad.cost.nanousd": 9,
    },
}


def add(kind: Any, span: dict[str, Any]) -> dict[str, Any]:
    """Return what a product is told more."""
    given = span.get("attributes") or {}
    made = target(kind, endpoint="https://t")
    return {name: value for name, value in convert_span(made, span)["attributes"].items() if name not in given}


@pytest.mark.parametrize("kind", ["phoenix", "arize", "weave"])
def test_products_of_openinference_get_its_kinds_the_cost_and_the_session(kind: Any) -> None:
    assert add(kind, CHAT) == {
        "openinference.span.kind": "LLM",
        "session.id": "ses_1",
        "llm.cost.total": 0.0015,
        "llm.token_count.prompt_details.cache_write": 7,
    }
    assert add(kind, ROOT) == {"openinference.span.kind": "AGENT"}


@pytest.mark.parametrize("kind", ["phoenix", "arize", "weave", "langsmith", "langfuse"])
def test_a_runs_tokens_are_those_of_its_attempts_and_not_counted_twice(kind: Any) -> None:
    made = target(kind, endpoint="https://t")
    assert "gen_ai.usage.input_tokens" not in convert_span(made, ROOT)["attributes"]
    assert "gen_ai.usage.cache_write.input_tokens" in convert_span(made, CHAT)["attributes"]


def test_langsmith_and_langfuse_get_their_own() -> None:
    assert add("langsmith", CHAT) == {
        "langsmith.span.kind": "llm",
        "langsmith.trace.session_id": "ses_1",
        "gen_ai.system": "anthropic",
    }
    assert add("langsmith", ROOT) == {"langsmith.span.kind": "chain"}
    assert add("langfuse", CHAT) == {
        "langfuse.observation.type": "generation",
        "langfuse.session.id": "ses_1",
        "gen_ai.usage.cost": 0.0015,
    }
    assert add("langfuse", ROOT) == {"langfuse.observation.type": "agent"}


def say(*parts: dict[str, str], role: str = "user") -> str:
    return json.dumps([{"role": role, "parts": list(parts)}])


QUESTION = {"type": "text", "content": "What is 2 + 2?"}
CALL = {"type": "tool_call", "name": "calculator"}
NAMES = {
    "phoenix": ("input.value", "output.value"),
    "langsmith": ("gen_ai.prompt", "gen_ai.completion"),
    "langfuse": ("langfuse.observation.input", "langfuse.observation.output"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_what_was_said_is_where_a_product_looks_for_it(kind: Any) -> None:
    def read(attributes: dict[str, str]) -> tuple[Any, ...]:
        found = add(kind, {"name": "chat claude", "attributes": attributes})
        return tuple(found.get(name) for name in NAMES[kind])

    asked, called = say(QUESTION), say(QUESTION, CALL, role="assistant")
    assert read({"gen_ai.input.messages": asked, "gen_ai.output.messages": called}) == ("What is 2 + 2?", called)
    both = json.dumps([*json.loads(asked), *json.loads(called)])
    assert read({"gen_ai.input.messages": both}) == (both, None)
    assert read({"gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "4"}) == ("{}", "4")
    assert read({}) == (None, None)


def test_phoenix_is_told_which_contents_are_json() -> None:
    found = add(
        "phoenix", {"name": "x", "attributes": {"gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "4"}}
    )
    assert (found["input.mime_type"], found["output.mime_type"]) == ("application/json", "text/plain")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("embeddings e5", "EMBEDDING"),
        ("search_memory turns", "RETRIEVER"),
        ("undo_tool notes", "TOOL"),
        ("invoke_workflow report", "CHAIN"),
        ("await_human tool_calls", "CHAIN"),
        ("graph_node plan", "CHAIN"),
        ("", "CHAIN"),
    ],
)
def test_a_span_without_an_operation_is_known_by_its_name(name: str, kind: str) -> None:
    assert add("phoenix", {"name": name})["openinference.span.kind"] == kind


def test_other_products_get_the_span_as_it_is_and_every_kind_is_of_a_span_that_there_is() -> None:
    assert convert_span(target("otlp", endpoint="https://c"), CHAT) is CHAT
    assert convert_span(target("xray"), CHAT) is CHAT
    assert set(KINDS) - {"undo_tool"} <= set(OPERATIONS)
