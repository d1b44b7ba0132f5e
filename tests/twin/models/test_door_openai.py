"""The stock ``openai`` client against the door, with only ``base_url`` and ``api_key`` changed."""

import base64
import json
from typing import Any, cast

import numpy as np
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from pentad.aws.table import Table
from pentad.domain.ids import hash_user
from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore
from pentad.models.budgets.budgets import define
from tests.twin.stack.world import Stack, Tenant, word

pytestmark = pytest.mark.twin

SUM = "What is 17.5 * (3 + 4)?"
CALCULATOR: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "Calculator-Tool",
        "description": "Evaluates an arithmetic expression.",
        "parameters": {
            "type": "object",
            "properties": {"expression": {"type": "string", "description": "such as 2 * (3 + 4)"}},
            "required": ["expression"],
            "additionalProperties": False,
        },
    },
}


def _user(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


def _attempts(tenant: Tenant) -> list[dict[str, Any]]:
    """Return what is on the ledger of requests that were sent and have ended."""
    return [item for item in tenant.items() if item["type"] == "attempt"]


def test_a_question_is_answered_and_on_the_ledger(client: openai.OpenAI, tenant: Tenant) -> None:
    completion = client.chat.completions.create(
        model="primary", messages=[{"role": "system", "content": "Be brief."}, *_user("What is 2 + 3?")], user="ada"
    )
    [choice] = completion.choices
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    assert "5" in (choice.message.content or "")
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0
    [attempt] = _attempts(tenant)
    assert hash_user("ada") in json.dumps(attempt, default=str)
    assert "door" in json.dumps(attempt, default=str)


@pytest.mark.parametrize("model", ["claude-haiku-5-5", "gpt-6-luna", "fast", "specialised.judge", "task:classify"])
def test_models_tiers_and_tasks_can_be_named(client: openai.OpenAI, model: str) -> None:
    completion = client.chat.completions.create(model=model, messages=_user("What is 2 + 3?"))
    assert "5" in (completion.choices[0].message.content or "")


@pytest.mark.parametrize("model", ["primary", "gpt-6-luna"])
def test_a_tool_makes_a_round_trip_under_the_clients_own_name(client: openai.OpenAI, model: str) -> None:
    messages = _user(SUM)
    first = client.chat.completions.create(model=model, messages=messages, tools=[CALCULATOR])
    [choice] = first.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    [call] = choice.message.tool_calls
    assert call.type == "function"
    assert call.function.name == "Calculator-Tool"
    assert "17.5" in json.loads(call.function.arguments)["expression"]
    result: ChatCompletionMessageParam = {"role": "tool", "tool_call_id": call.id, "content": "122.5"}
    reply = cast("ChatCompletionMessageParam", choice.message.model_dump())
    second = client.chat.completions.create(model=model, messages=[*messages, reply, result], tools=[CALCULATOR])
    assert second.choices[0].finish_reason == "stop"
    assert "122.5" in (second.choices[0].message.content or "")


def test_one_function_can_be_required(client: openai.OpenAI) -> None:
    other: ChatCompletionToolParam = {"type": "function", "function": {"name": "other", "description": "Does else."}}
    completion = client.chat.completions.create(
        model="primary",
        messages=_user(SUM),
        tools=[CALCULATOR, other],
        tool_choice={"type": "function", "function": {"name": "Calculator-Tool"}},
        parallel_tool_calls=False,
    )
    calls = completion.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls if call.type == "function"] == ["Calculator-Tool"]


def test_a_stream_can_be_iterated_and_ends_with_its_usage(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="primary", messages=_user("What is 2 + 3?"), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "5" in text
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_the_stream_helper_puts_a_tool_call_together(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="primary", messages=_user(SUM), tools=[CALCULATOR]) as stream:
        stream.until_done()
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.name == "Calculator-Tool"


class Person(BaseModel):
    """What the parse helper fills."""

    name: str
    age: int


@pytest.mark.parametrize("model", ["primary", "gpt-6-luna"])
def test_the_parse_helper_gives_the_pydantic_model(client: openai.OpenAI, model: str) -> None:
    completion = client.chat.completions.parse(
        model=model, messages=_user("Ada is 36 years old. Extract the person."), response_format=Person
    )
    parsed = completion.choices[0].message.parsed
    assert isinstance(parsed, Person)
    assert parsed.age == 36


def test_embeddings_come_as_numbers_and_as_base64(client: openai.OpenAI) -> None:
    plain = client.embeddings.create(model="text-embedding-3-small", input=["a cat", "a dog"], encoding_format="float")
    packed = client.embeddings.create(model="embeddings", input=["a cat", "a dog"], dimensions=512)
    assert [one.index for one in plain.data] == [0, 1]
    assert len(plain.data[0].embedding) == 512
    for one, other in zip(plain.data, packed.data, strict=True):
        assert np.allclose(one.embedding, other.embedding)
    assert np.isclose(np.linalg.norm(plain.data[0].embedding), 1.0)


def test_embeddings_in_base64_are_little_endian_float32(tenant: Tenant) -> None:
    body = {"model": "embeddings", "input": "a cat", "encoding_format": "base64"}
    data = tenant.post("/v1/embeddings", body).json()["data"]
    assert np.frombuffer(base64.b64decode(data[0]["embedding"]), "<f4").shape == (512,)


def test_models_are_listed_and_each_can_be_read(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert {"claude-sonnet-5-5", "primary", "fast", "embeddings", "task:classify"} <= listed
    assert client.models.retrieve("task:classify").owned_by == "pentad"


def test_a_wrong_key_is_an_authentication_error(stack: Stack, tenant: Tenant) -> None:
    with openai.OpenAI(base_url=f"{stack.url}/v1", api_key=f"{tenant.token[:-4]}aaaa") as client:
        with pytest.raises(openai.AuthenticationError):
            client.models.list()


def test_a_key_without_the_scope_is_a_permission_error(stack: Stack) -> None:
    token = stack.tenant(scopes=("runs:read",)).token
    with openai.OpenAI(base_url=f"{stack.url}/v1", api_key=token) as client:
        with pytest.raises(openai.PermissionDeniedError, match="models:invoke"):
            client.chat.completions.create(model="primary", messages=_user("Hello"))


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=_user("Hello"))
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert caught.value.request_id


def test_a_request_that_cannot_be_followed_names_the_field(client: openai.OpenAI, tenant: Tenant) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="primary", messages=_user("Hello"), n=2)
    assert (caught.value.param, caught.value.type) == ("n", "invalid_request_error")
    assert _attempts(tenant) == []


def test_a_used_budget_is_a_rate_limit_error_that_is_not_tried_again(client: openai.OpenAI, tenant: Tenant) -> None:
    store = DynamoBudgetStore(Table(tenant.stack.aws("dynamodb"), tenant.stack.outputs["StateTable"]))
    store.put(define(tenant.name, "tenant", "day", limit_nanousd=1))
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="primary", messages=_user("What is 2 + 3?"))
    assert caught.value.code == "insufficient_quota"
    assert f"tenant {tenant.name}" in caught.value.message
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 86_400
    with pytest.raises(openai.RateLimitError):
        client.embeddings.create(model="embeddings", input="a cat")
    assert _attempts(tenant) == []


def test_a_conversation_beyond_the_bodys_limit_is_told(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="primary", messages=_user("x" * 1_000_001))
    assert caught.value.status_code == 413


def test_sampling_parameters_are_accepted_and_told_as_ignored(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="primary", messages=_user("What is 2 + 3?"), temperature=0.2, seed=7
    )
    assert raw.headers["x-pentad-ignored"] == "seed, temperature"
    assert "5" in (raw.parse().choices[0].message.content or "")


def test_another_provider_answers_with_a_notice(stack: Stack, client: openai.OpenAI) -> None:
    mark = word()
    with stack.overload(mark, "anthropic"):
        raw = client.chat.completions.with_raw_response.create(model="primary", messages=_user(f"2 + 3? ({mark})"))
    assert raw.headers["x-pentad-model"].startswith("openai/")
    assert "answered because" in raw.headers["x-pentad-notice"]


def test_all_providers_down_is_an_error_and_no_answer(stack: Stack, client: openai.OpenAI, tenant: Tenant) -> None:
    mark = word()
    with stack.overload(mark, "anthropic", "openai"):
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="fast", messages=_user(f"What is 2 + 3? ({mark})"))
    assert (caught.value.status_code, caught.value.code) == (503, "service_unavailable")
    # The gateway has tried all there is, so the client is told not to try again: one request, its attempts.
    assert len(_attempts(tenant)) == 4
