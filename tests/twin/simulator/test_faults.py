"""Faults on request, as the real SDKs see them."""

import json
import re
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.twin.simulator.conftest import CLAUDE, GPT, TOOLS, asked, for_openai
from twin.simulator import ControlError, Simulator, SimulatorControl

pytestmark = pytest.mark.twin

HI: Any = [{"role": "user", "content": "hi"}]
SUM: Any = [{"role": "user", "content": "What is 6 * 7?"}]


def claude_says(client: Anthropic, messages: Any = HI, **options: Any) -> Any:
    return client.messages.create(model=CLAUDE, max_tokens=500, messages=messages, **options)


def gpt_says(client: OpenAI, messages: Any = HI, **options: Any) -> Any:
    return client.chat.completions.create(model=GPT, messages=messages, **options)


def test_an_overload_hits_one_provider_and_is_over_after_its_times(
    claude: Anthropic, gpt: OpenAI, control: SimulatorControl
) -> None:
    control.add_faults({"kind": "status", "provider": "anthropic", "status": 529, "times": 2})
    for _ in range(2):
        with pytest.raises(anthropic.APIStatusError) as error:
            claude_says(claude)
        body: Any = error.value.body
        assert (error.value.status_code, body["error"]) == (529, {"type": "overloaded_error", "message": "Overloaded"})
    assert gpt_says(gpt).choices[0].message.content
    assert claude_says(claude).stop_reason == "end_turn"


def test_a_rate_limit_carries_its_headers(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "status", "status": 429, "headers": {"retry-after": "7"}})
    with pytest.raises(anthropic.RateLimitError) as limited:
        claude_says(claude)
    assert limited.value.response.headers["retry-after"] == "7"
    with pytest.raises(openai.RateLimitError) as other:
        gpt_says(gpt)
    assert other.value.code == "rate_limit_exceeded"
    control.clear_faults()
    assert claude_says(claude)


def test_a_fault_for_a_text_leaves_other_conversations_alone(claude: Anthropic, control: SimulatorControl) -> None:
    control.add_faults(*({"kind": "status", "status": 529, "text": text} for text in ("marmalade", "quince")))
    for text in ("marmalade", "quince"):
        with pytest.raises(anthropic.APIStatusError):
            claude_says(claude, [{"role": "user", "content": f"hi {text}"}])
    assert claude_says(claude)
    control.clear_faults("marmalade")
    assert claude_says(claude, [{"role": "user", "content": "hi marmalade"}])
    assert [fault["text"] for fault in control.add_faults()] == ["quince"]


@pytest.mark.parametrize("status", [500, 503])
def test_server_errors_have_the_providers_shape(
    claude: Anthropic, gpt: OpenAI, control: SimulatorControl, status: int
) -> None:
    control.add_faults({"kind": "status", "status": status})
    with pytest.raises(anthropic.InternalServerError) as one:
        claude_says(claude)
    body: Any = one.value.body
    assert body["error"]["type"] == "api_error"
    with pytest.raises(openai.InternalServerError) as two:
        gpt_says(gpt)
    assert two.value.type == "server_error"


def test_a_timeout_hangs_until_the_client_gives_up(claude: Anthropic, control: SimulatorControl) -> None:
    control.add_faults({"kind": "timeout", "seconds": 5})
    with pytest.raises(anthropic.APITimeoutError):
        claude_says(claude.with_options(timeout=0.3))


def test_a_call_that_is_delayed_goes_on_when_its_fault_is_cleared(claude: Anthropic, control: SimulatorControl) -> None:
    control.add_faults({"kind": "delay", "seconds": 600, "text": "marmalade", "times": 1})
    with ThreadPoolExecutor(1) as pool:
        hung = pool.submit(claude_says, claude, [{"role": "user", "content": "Where is the marmalade?"}])
        end = time.monotonic() + 30
        while control.add_faults() and time.monotonic() < end:
            time.sleep(0.01)
        control.clear_faults("something else")
        assert not hung.done()
        control.clear_faults("marmalade")
        assert hung.result(timeout=30).content


def test_a_reset_is_a_connection_error(claude: Anthropic, control: SimulatorControl) -> None:
    control.add_faults({"kind": "reset"})
    with pytest.raises(anthropic.APIConnectionError):
        claude_says(claude)


def test_a_cut_stream_breaks_off(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "cut_stream"})
    received = 0
    with pytest.raises(Exception, match=r"incomplete chunked read|peer closed"):
        for _ in claude.messages.create(
            model=CLAUDE, max_tokens=500, messages=[{"role": "user", "content": asked("sessions stored?")}], stream=True
        ):
            received += 1
    assert received > 0
    with pytest.raises(openai.APIConnectionError):
        gpt_says(gpt)


def test_html_and_half_json_are_no_reply(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "html", "times": 1}, {"kind": "half_json", "times": 1})
    with pytest.raises(anthropic.InternalServerError):
        claude_says(claude)
    with pytest.raises((openai.APIResponseValidationError, json.JSONDecodeError)):
        gpt_says(gpt)


def test_malformed_arguments_are_not_json(gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "malformed_tool_args"})
    call = gpt_says(gpt, SUM, tools=for_openai(TOOLS)).choices[0].message.tool_calls[0]
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.function.arguments)


def test_truncated_arguments_end_at_the_output_limit(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "truncated_tool_args"})
    choice = gpt_says(gpt, SUM, tools=for_openai(TOOLS)).choices[0]
    assert choice.finish_reason == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice.message.tool_calls[0].function.arguments)
    reply = claude_says(claude, SUM, tools=TOOLS)
    assert (reply.stop_reason, reply.content[0].input) == ("max_tokens", {})


def test_refusals_have_each_providers_form(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "refusal", "body": {"category": "cyber", "explanation": "no"}})
    reply = claude_says(claude)
    assert (reply.stop_reason, reply.content, reply.stop_details.category) == ("refusal", [], "cyber")
    message = gpt_says(gpt).choices[0].message
    assert message.content is None
    assert message.refusal


def test_context_overflow_has_each_providers_form(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "context_overflow"})
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        claude_says(claude)
    with pytest.raises(openai.BadRequestError) as error:
        gpt_says(gpt)
    assert error.value.code == "context_length_exceeded"


def test_usage_can_be_missing_and_the_stop_reason_chosen(
    claude: Anthropic, gpt: OpenAI, control: SimulatorControl
) -> None:
    control.add_faults({"kind": "no_usage", "provider": "openai"}, {"kind": "stop_reason", "stop": "pause_turn"})
    assert gpt_says(gpt).usage is None
    assert claude_says(claude).stop_reason == "pause_turn"


def test_a_malformed_fault_is_refused_with_a_reason(control: SimulatorControl) -> None:
    with pytest.raises(ControlError, match="unknown fault kind 'earthquake'"):
        control.add_faults({"kind": "earthquake"})
    with pytest.raises(ControlError, match="status from 400 to 599"):
        control.add_faults({"kind": "status", "status": 200})


def test_the_journal_shows_calls_without_secrets(claude: Anthropic, control: SimulatorControl) -> None:
    control.add_faults({"kind": "status", "status": 500, "times": 1})
    with pytest.raises(anthropic.InternalServerError):
        claude_says(claude, extra_headers={"idempotency-key": "run-1"})
    claude_says(claude)
    first, second = control.list_requests()
    assert (first["status"], first["fault"], first["headers"]["idempotency-key"]) == (500, "status", "run-1")
    assert (second["provider"], second["path"], second["model"]) == ("anthropic", "/v1/messages", CLAUDE)
    assert second["status"] == 200
    assert "x-api-key" not in second["headers"]
    assert "local" not in json.dumps(second["headers"])


def test_a_script_answers_in_order_in_both_formats(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.load_script(
        {"match": {"provider": "anthropic", "contains": "hi"}, "reply": {"text": "first"}},
        {"reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": "1"}}]}},
        {"raw": {"status": 429, "body": {"error": {"message": "slow down"}}, "headers": {"retry-after": "3"}}},
    )
    assert claude_says(claude).content[0].text == "first"
    assert gpt_says(gpt).choices[0].finish_reason == "tool_calls"
    with pytest.raises(openai.RateLimitError, match="slow down"):
        gpt_says(gpt)
    control.assert_consumed()


def test_an_unexpected_request_fails_and_is_reported(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.load_script({"match": {"provider": "openai"}, "reply": {"text": "only for openai"}})
    with pytest.raises(anthropic.APIStatusError, match="the script expected a request with") as error:
        claude_says(claude)
    assert error.value.status_code == 599
    with pytest.raises(AssertionError, match=r"unconsumed: \[\{'step': 0.*unexpected: \[\{'provider': 'anthropic'"):
        control.assert_consumed()
    assert gpt_says(gpt).choices[0].message.content == "only for openai"
    with pytest.raises(openai.InternalServerError, match="no further request"):
        gpt_says(gpt)


def test_a_request_that_hung_before_a_script_was_loaded_takes_none_of_its_steps(
    claude: Anthropic, gpt: OpenAI, control: SimulatorControl
) -> None:
    control.add_faults({"kind": "delay", "seconds": 2, "provider": "anthropic", "times": 1})
    with ThreadPoolExecutor(1) as pool:
        hung = pool.submit(claude_says, claude)
        end = time.monotonic() + 30
        while not control.list_requests() and time.monotonic() < end:
            time.sleep(0.01)
        control.load_script({"reply": {"text": "scripted"}})
        assert hung.result().content[0].text != "scripted"
    assert gpt_says(gpt).choices[0].message.content == "scripted"
    control.assert_consumed()


def test_a_reply_may_end_in_any_word(claude: Anthropic, gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "odd_end", "stop": "model_length"})
    assert claude_says(claude, HI).stop_reason == "model_length"
    assert gpt_says(gpt, HI).choices[0].finish_reason == "model_length"
    details = gpt.responses.create(model=GPT, input="Hello").incomplete_details
    assert details is not None and str(details.reason) == "model_length"
    control.clear_faults()
    control.add_faults({"kind": "odd_end", "stop": "in_progress", "path": "responses"})
    assert gpt.responses.create(model=GPT, input="Hello").status == "in_progress"


def test_half_of_a_pair_is_sent_and_is_refused_when_it_comes_back(
    claude: Anthropic, gpt: OpenAI, control: SimulatorControl, simulator: Simulator
) -> None:
    control.add_faults({"kind": "half_pair"})
    assert gpt_says(gpt, HI).choices[0].message.content.endswith("\ud83d")
    streamed = "".join(part.choices[0].delta.content or "" for part in gpt_says(gpt, HI, stream=True))
    assert streamed.endswith("\ud83d")
    assert claude_says(claude, HI).content[0].text.endswith("\ud83d")
    control.clear_faults()
    back: dict[str, Any] = {"role": "user", "content": "a \ud83d b"}
    body = json.dumps({"model": CLAUDE, "max_tokens": 9, "messages": [back]})  # escaped, as another client sends it
    for path, named in (("/v1/messages", "not valid JSON"), ("/v1/chat/completions", "could not parse the JSON body")):
        headers = {"x-api-key": "k", "anthropic-version": "2023-06-01", "authorization": "Bearer k"}
        request = urllib.request.Request(simulator.url + path, data=body.encode(), headers=headers)  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)  # noqa: S310 - our own URL
        assert (refused.value.code, named in refused.value.read().decode()) == (400, True)


def test_ids_may_be_counted_anew_in_each_reply(gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "plain_ids"})
    for _ in range(2):
        [call] = gpt_says(gpt, SUM, tools=for_openai(TOOLS)).choices[0].message.tool_calls
        assert call.id == "call_0"


def test_a_slow_reply_is_well(gpt: OpenAI, control: SimulatorControl) -> None:
    control.add_faults({"kind": "slow", "seconds": 0.05})
    assert "42" in gpt_says(gpt, SUM).choices[0].message.content


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "object", "properties": {"a": {"type": "array"}}}, "array schema missing items"),
        ({"type": "object", "properties": {"a": {"type": "no such"}}}, "no such"),
        ({"type": "string"}, "schema must be a JSON Schema of 'type: \"object\"'"),
    ],
)
def test_openai_refuses_a_schema_that_it_can_not_use(gpt: OpenAI, schema: Any, told: str) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    with pytest.raises(openai.BadRequestError, match=re.escape(told)):
        gpt_says(gpt, HI, tools=[tool])


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "object", "properties": {}}, "'additionalProperties' must be explicitly set to false"),
        (
            {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "integer", "minimum": 1}}},
            "minimum",
        ),
    ],
)
def test_claude_refuses_an_output_schema_that_it_can_not_use(claude: Anthropic, schema: Any, told: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=told):
        claude_says(claude, HI, output_config={"format": {"type": "json_schema", "schema": schema}})
    broken = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": 3}}}}
    with pytest.raises(anthropic.BadRequestError, match="JSON schema is invalid"):
        claude_says(claude, HI, tools=[broken])


def test_json_mode_asks_for_the_word_and_gives_an_object(gpt: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="must contain the word 'json'"):
        gpt_says(gpt, SUM, response_format={"type": "json_object"})
    reply = gpt_says(
        gpt, [{"role": "user", "content": "What is 6 * 7? Answer as JSON."}], response_format={"type": "json_object"}
    )
    assert "42" in json.loads(reply.choices[0].message.content)["answer"]


def test_what_rules_answered_says_so_and_what_a_script_answered_does_not(
    gpt: OpenAI, control: SimulatorControl
) -> None:
    asked: dict[str, Any] = {"model": GPT, "messages": [{"role": "user", "content": "Hello"}]}
    assert gpt.chat.completions.with_raw_response.create(**asked).headers["x-simulated"] == "rules"
    control.load_script({"reply": {"text": "Hi."}})
    assert "x-simulated" not in gpt.chat.completions.with_raw_response.create(**asked).headers
