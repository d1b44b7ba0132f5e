"""The simulator through the real openai SDK."""

import json
from typing import Any

import numpy as np
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from tests.twin.simulator.conftest import GPT, TOOLS, asked, for_openai
from twin.simulator import SimulatorControl

pytestmark = pytest.mark.twin


def ask(client: OpenAI, messages: Any, **options: Any) -> Any:
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    return client.chat.completions.create(model=options.pop("model", GPT), messages=messages, **options)


def test_an_answer_cites_its_passage(gpt: OpenAI) -> None:
    reply = ask(gpt, asked("Where are sessions stored?"))
    assert "one item per message [cite:aaaaa2]" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.system_fingerprint == "fp_twin_simulator"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_tools_are_called_together_and_their_results_told(gpt: OpenAI) -> None:
    question = "How many days are there between 2026-01-01 and 2026-03-01, and what is 15 % of 240?"
    tools = for_openai(TOOLS)
    first = ask(gpt, question, tools=tools).choices[0]
    assert first.finish_reason == "tool_calls"
    calls = {call.function.name: call for call in first.message.tool_calls}
    assert json.loads(calls["calculator"].function.arguments) == {"expression": "15 / 100 * 240"}
    assert json.loads(calls["date_time"].function.arguments) == {
        "operation": "difference",
        "start": "2026-01-01",
        "end": "2026-03-01",
    }
    messages = [
        {"role": "user", "content": question},
        first.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": calls["calculator"].id, "content": "36"},
        {"role": "tool", "tool_call_id": calls["date_time"].id, "content": '{"days": 59}'},
    ]
    assert ask(gpt, messages, tools=tools).choices[0].message.content == (
        "There are 59 days between 2026-01-01 and 2026-03-01. The result of 15 / 100 * 240 is 36."
    )


def test_streams_add_up_to_the_whole_with_usage_at_the_end(gpt: OpenAI) -> None:
    whole = ask(gpt, asked("Where are sessions stored?"))
    text = ""
    usage: Any = None
    for chunk in ask(gpt, asked("Where are sessions stored?"), stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    assert text == whole.choices[0].message.content
    assert usage.completion_tokens == whole.usage.completion_tokens


def test_streamed_tool_calls_add_up(gpt: OpenAI) -> None:
    arguments = ""
    for chunk in ask(gpt, "What is 6 * 7?", tools=for_openai(TOOLS), stream=True):
        for call in chunk.choices[0].delta.tool_calls or ():
            arguments += call.function.arguments
    assert json.loads(arguments) == {"expression": "6 * 7"}


def test_parse_returns_a_pydantic_model(gpt: OpenAI) -> None:
    class Verdict(BaseModel):
        score: float
        reason: str
        tags: list[str]

    reply = gpt.chat.completions.parse(
        model=GPT, messages=[{"role": "user", "content": asked("Where are sessions stored?")}], response_format=Verdict
    )
    assert isinstance(reply.choices[0].message.parsed, Verdict)
    assert 0 < reply.choices[0].message.parsed.score <= 1


def test_a_strict_schema_that_is_open_is_refused(gpt: OpenAI) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}}}
    with pytest.raises(openai.BadRequestError, match="additionalProperties"):
        ask(gpt, "hi", response_format=form)


def test_automatic_caching_reports_steps_of_128_tokens(gpt: OpenAI, control: SimulatorControl) -> None:
    messages: Any = [{"role": "system", "content": "stable words " * 600}, {"role": "user", "content": "one"}]
    first = ask(gpt, messages).usage
    messages[1]["content"] = "two"
    second = ask(gpt, messages).usage
    assert first.prompt_tokens_details.cached_tokens == 0
    assert first.prompt_tokens_details.cache_write_tokens > 1024
    assert second.prompt_tokens_details.cached_tokens >= 1024
    assert second.prompt_tokens_details.cached_tokens % 128 == 0
    assert ask(gpt, messages, model="gpt-5").usage.prompt_tokens_details.cache_write_tokens == 0


def test_responses_answer_call_tools_and_build_on_each_other(gpt: OpenAI) -> None:
    tools: Any = [{"type": "function", **tool["function"]} for tool in for_openai(TOOLS)]
    first = gpt.responses.create(model=GPT, input="What is 6 * 7?", tools=tools)
    call: Any = next(item for item in first.output if item.type == "function_call")
    assert json.loads(call.arguments) == {"expression": "6 * 7"}
    output: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "42"}]
    second = gpt.responses.create(model=GPT, previous_response_id=first.id, input=output, tools=tools)
    assert second.output_text == "The result of 6 * 7 is 42."
    assert (second.status, second.usage.input_tokens > 0 if second.usage else None) == ("completed", True)
    third: Any = gpt.responses.create(model=GPT, previous_response_id=second.id, input="Double that", tools=tools)
    assert json.loads(third.output[0].arguments) == {"expression": "2 * 42"}


def test_responses_stream_and_parse(gpt: OpenAI) -> None:
    class Verdict(BaseModel):
        label: str

    with gpt.responses.stream(model=GPT, input=asked("Where are sessions stored?")) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == text
    parsed = gpt.responses.parse(model=GPT, input="label: storage", text_format=Verdict)
    assert parsed.output_parsed == Verdict(label="storage")


def test_responses_reason_when_asked_to(gpt: OpenAI) -> None:
    first = gpt.responses.create(model=GPT, input="Hello", reasoning={"effort": "low"})
    assert [item.type for item in first.output] == ["reasoning", "message"]
    back: Any = [{"role": "user", "content": "Hello"}, *[item.model_dump(exclude_none=True) for item in first.output]]
    back.append({"role": "user", "content": "Where are sessions stored?"})
    gpt.responses.create(model=GPT, input=back, reasoning={"effort": "low"})
    back[1]["encrypted_content"] = "tampered"
    with pytest.raises(openai.BadRequestError, match="could not be verified"):
        gpt.responses.create(model=GPT, input=back)


@pytest.mark.parametrize(
    ("options", "message", "code"),
    [
        ({"messages": []}, "empty array", None),
        ({"messages": [{"role": "robot", "content": "x"}]}, "Invalid value: 'robot'", None),
        ({"max_tokens": 5}, "max_completion_tokens", "unsupported_parameter"),
        ({"messages": [{"role": "tool", "tool_call_id": "c", "content": "x"}]}, "must be a response to", None),
        (
            {
                "messages": [
                    {"role": "user", "content": "x"},
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                    },
                    {"role": "user", "content": "y"},
                ]
            },
            "did not have response messages: c1",
            None,
        ),
    ],
)
def test_malformed_requests_are_refused_as_openai_does(
    gpt: OpenAI, options: Any, message: str, code: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        ask(gpt, **{"messages": "hi", **options})
    assert message in error.value.message
    assert error.value.code == code
    assert error.value.type == "invalid_request_error"


def test_keys_and_models_are_checked(gpt: OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as error:
        ask(gpt.with_options(api_key="invalid"), "hi")
    assert error.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError) as missing:
        ask(gpt, "hi", model="llama")
    assert missing.value.code == "model_not_found"


def test_embeddings_place_a_paraphrase_nearer_in_both_encodings(gpt: OpenAI) -> None:
    texts = ["How are sessions kept?", "Where is the chat history stored?", "Bananas are yellow."]
    default = gpt.embeddings.create(model="text-embedding-3-small", input=texts, dimensions=1024)
    plain = gpt.embeddings.create(model="text-embedding-3-small", input=texts, dimensions=1024, encoding_format="float")
    vectors = np.array([one.embedding for one in default.data])
    assert vectors.shape == (3, 1024)
    np.testing.assert_allclose(vectors, [one.embedding for one in plain.data], atol=1e-6)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1
    assert default.usage.prompt_tokens > 0


def test_embedding_dimensions_can_be_fewer(gpt: OpenAI) -> None:
    reply = gpt.embeddings.create(model="text-embedding-3-small", input="x", dimensions=64)
    assert len(reply.data[0].embedding) == 64
    assert np.linalg.norm(reply.data[0].embedding) == pytest.approx(1, abs=1e-5)
    assert len(gpt.embeddings.create(model="text-embedding-3-small", input="x").data[0].embedding) == 384
