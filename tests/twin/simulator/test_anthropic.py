"""The simulator through the real anthropic SDK."""

import json
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic

from tests.twin.simulator.conftest import CALCULATOR, CLAUDE, TOOLS, asked
from twin.simulator import Simulator, SimulatorControl

pytestmark = pytest.mark.twin


def ask(client: Anthropic, messages: Any, **options: Any) -> Any:
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    return client.messages.create(**{"model": CLAUDE, "max_tokens": 2000, "messages": messages, **options})


def say(client: Anthropic, messages: Any, **options: Any) -> str:
    return "".join(block.text for block in ask(client, messages, **options).content if block.type == "text")


def test_an_answer_cites_the_passage_it_comes_from(claude: Anthropic) -> None:
    text = say(claude, asked("Where are sessions stored?"))
    assert "DynamoDB with one item per message [cite:aaaaa2]" in text
    assert "[2]" not in text
    text = say(claude, asked("What happens when the primary provider is overloaded?"))
    assert "falls back to the other provider [cite:bbbbb3]" in text


def test_a_question_that_the_documents_do_not_answer_is_told_so(claude: Anthropic) -> None:
    assert say(claude, asked("Who won the football match yesterday?")) == (
        "The documents given do not answer this question."
    )


def test_replies_are_marked_as_the_simulators(claude: Anthropic) -> None:
    raw = claude.messages.with_raw_response.create(
        model=CLAUDE, max_tokens=100, messages=[{"role": "user", "content": "Hello"}]
    )
    assert raw.headers["x-twin-simulator"] == "1"
    message = raw.parse()
    assert message.model == CLAUDE
    assert (message.stop_reason, message.role, message.type) == ("end_turn", "assistant", "message")


def test_two_tools_are_called_in_one_turn_and_their_results_are_told(claude: Anthropic) -> None:
    question = "What is 17.5 * (3 + 4), and what date is 45 days after 2026-11-22?"
    first = ask(claude, question, tools=TOOLS)
    calls = {block.name: block for block in first.content if block.type == "tool_use"}
    assert first.stop_reason == "tool_use"
    assert calls["calculator"].input == {"expression": "17.5 * (3 + 4)"}
    assert calls["date_time"].input == {"operation": "add", "date": "2026-11-22", "days": 45}
    results = [
        {"type": "tool_result", "tool_use_id": calls["calculator"].id, "content": '{"result": 122.5}'},
        {"type": "tool_result", "tool_use_id": calls["date_time"].id, "content": '{"date": "2027-01-06"}'},
    ]
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": results},
    ]
    text = say(claude, messages, tools=TOOLS)
    assert text == "The result of 17.5 * (3 + 4) is 122.5. 45 days after 2026-11-22 is 2027-01-06."


def test_parallel_use_can_be_switched_off(claude: Anthropic) -> None:
    question = "What is 2 + 3, and what is 4 * 5?"
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    messages: list[Any] = [{"role": "user", "content": question}]
    expressions = []
    for _ in range(2):
        reply = ask(claude, messages, tools=TOOLS, tool_choice=choice)
        (call,) = [block for block in reply.content if block.type == "tool_use"]
        expressions.append(call.input["expression"])
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "5" if len(expressions) == 1 else "20"}
        messages += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": [result]}]
    assert expressions == ["2 + 3", "4 * 5"]
    assert say(claude, messages, tools=TOOLS, tool_choice=choice) == (
        "The result of 2 + 3 is 5. The result of 4 * 5 is 20."
    )


def test_a_note_is_saved_through_its_tool_and_a_rejection_is_told(claude: Anthropic) -> None:
    question = "Save a note titled Demo: the release ships on Friday"
    first = ask(claude, question, tools=TOOLS)
    (call,) = first.content
    assert (call.name, call.input) == ("save_note", {"title": "Demo", "text": "the release ships on Friday"})
    rejected = {"status": "rejected", "reason": "not on a Friday"}
    result = {"type": "tool_result", "tool_use_id": call.id, "content": json.dumps(rejected), "is_error": True}
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    assert "not carried out: not on a Friday." in say(claude, messages, tools=TOOLS)


def test_a_question_about_documents_without_passages_is_searched(claude: Anthropic) -> None:
    question = "Where are sessions stored?"
    first = ask(claude, question, tools=TOOLS)
    (call,) = first.content
    assert (call.name, call.input) == ("search_knowledge", {"query": question})
    found = '<passages><passage id="7" document="d" title="t">Sessions are stored in DynamoDB.</passage></passages>'
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": found}]},
    ]
    assert say(claude, messages, tools=TOOLS) == "Sessions are stored in DynamoDB [7]."


def test_streamed_text_equals_the_whole_message(claude: Anthropic) -> None:
    messages: Any = [{"role": "user", "content": asked("Where are sessions stored?")}]
    whole = ask(claude, messages)
    with claude.messages.stream(model=CLAUDE, max_tokens=2000, messages=messages) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", whole.usage.output_tokens)


def test_streamed_tool_input_is_the_same_json(claude: Anthropic) -> None:
    tools: Any = [CALCULATOR]
    with claude.messages.stream(
        model=CLAUDE, max_tokens=2000, messages=[{"role": "user", "content": "What is 6 * 7?"}], tools=tools
    ) as stream:
        final: Any = stream.get_final_message()
    assert final.stop_reason == "tool_use"
    assert final.content[0].input == {"expression": "6 * 7"}


def test_thinking_comes_signed_and_goes_back_unchanged(claude: Anthropic) -> None:
    options: Any = {"tools": TOOLS, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    first = ask(claude, "What is 6 * 7?", **options)
    thinking, call = first.content
    assert (thinking.type, call.type) == ("thinking", "tool_use")
    assert first.usage.output_tokens_details.thinking_tokens > 0
    messages: list[Any] = [
        {"role": "user", "content": "What is 6 * 7?"},
        {"role": "assistant", "content": [thinking.model_dump(), call.model_dump(exclude_none=True)]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "42"}]},
    ]
    assert say(claude, messages, **options) == "The result of 6 * 7 is 42."
    messages[1]["content"][0]["thinking"] += " tampered"
    with pytest.raises(anthropic.BadRequestError, match=r"messages\.1\.content\.0: Invalid `signature`"):
        ask(claude, messages, **options)


def test_structured_output_follows_the_schema(claude: Anthropic) -> None:
    schema = {
        "type": "object",
        "properties": {
            "category": {"type": "string", "enum": ["billing", "storage", "other"]},
            "confidence": {"type": "number"},
            "answer": {"type": "string"},
        },
        "required": ["category", "confidence", "answer"],
        "additionalProperties": False,
    }
    text = say(
        claude,
        asked("Is this about storage? Where are sessions stored?"),
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    data = json.loads(text)
    assert data["category"] == "storage"
    assert data["confidence"] == 0.5  # rules have none
    assert "DynamoDB" in data["answer"]


def test_a_forced_tool_is_called(claude: Anthropic) -> None:
    tool: Any = {
        "name": "classify",
        "description": "File the text",
        "input_schema": {
            "type": "object",
            "properties": {"label": {"type": "string", "enum": ["bug", "feature"]}, "urgent": {"type": "boolean"}},
            "required": ["label", "urgent"],
        },
    }
    reply = ask(claude, "It is a feature request", tools=[tool], tool_choice={"type": "tool", "name": "classify"})
    assert reply.content[0].input["label"] == "feature"
    assert isinstance(reply.content[0].input["urgent"], bool)


def test_prompt_caching_counts_reads_and_writes_by_prefix(claude: Anthropic, control: SimulatorControl) -> None:
    system: Any = [{"type": "text", "text": "stable words " * 500, "cache_control": {"type": "ephemeral"}}]
    first = ask(claude, "one", system=system).usage
    second = ask(claude, "two", system=system).usage
    assert first.cache_creation_input_tokens > 1024
    assert first.cache_read_input_tokens == 0
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens == 0
    assert second.input_tokens < 50
    changed = ask(claude, "two", system=[{**system[0], "text": "x" + system[0]["text"]}]).usage
    assert changed.cache_read_input_tokens == 0


def test_a_growing_conversation_reads_its_cached_prefix(claude: Anthropic, control: SimulatorControl) -> None:
    mark: Any = {"type": "ephemeral", "ttl": "1h"}
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": "long " * 1500, "cache_control": mark}]}]
    first = ask(claude, messages).usage
    assert first.cache_creation.ephemeral_1h_input_tokens == first.cache_creation_input_tokens > 0
    messages[0]["content"][0].pop("cache_control")
    messages += [
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": [{"type": "text", "text": "more", "cache_control": {"type": "ephemeral"}}]},
    ]
    second = ask(claude, messages).usage
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert 0 < second.cache_creation.ephemeral_5m_input_tokens < 100


def test_max_tokens_truncates(claude: Anthropic) -> None:
    reply = ask(claude, asked("Where are sessions stored?"), max_tokens=5)
    assert (reply.stop_reason, len(reply.content[0].text)) == ("max_tokens", 20)


def test_a_stop_sequence_ends_the_text(claude: Anthropic) -> None:
    reply = ask(claude, asked("Where are sessions stored?"), stop_sequences=["DynamoDB"])
    assert (reply.stop_reason, reply.stop_sequence) == ("stop_sequence", "DynamoDB")
    assert "DynamoDB" not in reply.content[0].text


def test_tokens_are_counted_without_generating(claude: Anthropic) -> None:
    count = claude.messages.count_tokens(model=CLAUDE, messages=[{"role": "user", "content": "word " * 400}])
    assert count.input_tokens == ask(claude, "word " * 400).usage.input_tokens


USER: Any = {"role": "user", "content": "hi"}
CALL: Any = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "calculator", "input": {}}]}
STRAY: Any = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t9", "content": "x"}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "assistant", "content": "hi"}]}, 'first message must use the "user" role'),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": ""}]}, "non-empty content"),
        ({"messages": [USER, CALL, USER]}, "`tool_use` ids were found without `tool_result` blocks"),
        ({"messages": [STRAY]}, "unexpected `tool_use_id`"),
        ({"messages": [USER, {"role": "assistant", "content": "The answer is"}]}, "prefill"),
        ({"extra_body": {"temperature": 0.5}}, "temperature: Extra inputs are not permitted"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10}}, "greater than or equal to 1024"),
        ({"tool_choice": {"type": "tool", "name": "x"}, "tools": TOOLS}, "not found"),
    ],
)
def test_malformed_requests_are_refused_as_anthropic_does(claude: Anthropic, change: Any, message: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as error:
        ask(claude, **{"messages": "hi", **change})
    body: Any = error.value.body
    assert message in body["error"]["message"]
    assert body["error"]["type"] == "invalid_request_error"
    assert body["request_id"] == error.value.request_id


def test_unknown_models_missing_keys_and_wrong_keys(simulator: Simulator, claude: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="model: llama"):
        ask(claude, "hi", model="llama")
    with pytest.raises(anthropic.AuthenticationError) as error:
        ask(claude.with_options(api_key="invalid"), "hi")
    body: Any = error.value.body
    assert body["error"]["type"] == "authentication_error"


def test_a_prompt_over_the_window_is_refused() -> None:
    with (
        Simulator({CLAUDE: 1000}) as small,
        Anthropic(api_key="k", base_url=small.url, max_retries=0) as client,
        pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > 1000 maximum"),
    ):
        ask(client, "word " * 2000)
