"""One conformance suite over all chat adapters, on the real SDKs and the wire."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pentad.domain.messages import DocumentBlock, ImageBlock, TextBlock, ThinkingBlock, ToolResultBlock
from pentad.domain.models import CallContext, ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.providers.adapters.anthropic import AnthropicChat, make_body
from pentad.models.providers.adapters.openai import OpenAIChat
from pentad.models.providers.exchange import ProviderCredentials, ProviderFailure, ProviderReply
from pentad.models.providers.request_names import HEADER, name_part
from tests.contract.models import wire_bodies
from tests.contract.models.bedrock_fake import BedrockFake
from tests.contract.models.conftest import KEY, MODELS, PROVIDERS, SIMULATED, Adapters, Serve
from tests.unit.models.samples import ADD, SCHEMA, SONNET, Clock, assistant, call, message, request, user
from twin.servers.loopback import Request, Response, json_response
from twin.simulator import SimulatorControl

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
THINKERS = ("anthropic", "openai", "bedrock")  # chat completions have no thinking to give back


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def send(adapters: Adapters, provider: str, asked: ChatRequest, timeout: float = 20) -> ProviderReply:
    return adapters.get_client(provider).send(MODELS[provider], asked, max_output_tokens=2_000, timeout=timeout)


def failed(adapters: Adapters, provider: str, asked: ChatRequest | None = None, timeout: float = 20) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        send(adapters, provider, asked or request(), timeout)
    return caught.value


def test_words_come_back_with_usage_and_request_id(
    adapters: Adapters, control: SimulatorControl, provider: str
) -> None:
    control.load_script({"match": {"provider": SIMULATED[provider]}, "reply": {"text": "Hello."}})
    reply = send(adapters, provider, request(user("Hi"), system="Be brief."))
    assert (reply.text, reply.stop) == ("Hello.", StopReason.END)
    assert reply.first_byte_ms is not None and 0 <= reply.first_byte_ms < 20_000
    assert reply.usage is not None
    assert reply.usage.output_tokens > 0
    assert reply.request_id == control.list_requests()[-1]["request_id"]
    control.assert_consumed()


@pytest.mark.parametrize("provider", ["anthropic", "openai", "compatible"])  # Bedrock names its requests itself
def test_each_request_has_a_name_of_its_own_that_shows_nobody(
    adapters: Adapters, control: SimulatorControl, provider: str
) -> None:
    context = CallContext(tenant_id="acme", agent="desk", session_id="s1", run_id="run_1", step=3)
    asked = request(user("Hi")).model_copy(update={"context": context})
    for _ in range(2):
        send(adapters, provider, asked)
    names = [one["headers"][HEADER] for one in control.list_requests()]
    assert len(set(names)) == 2
    beginnings = {name.rpartition(".")[0] for name in names}
    parts = [name_part("tenant", "acme", "acme"), name_part("agent", "acme", "desk")]
    parts += [name_part("session", "acme", "s1"), name_part("run", "acme", "run_1"), "step3"]
    assert beginnings == {".".join(parts)}
    assert not [word for word in ("acme", "desk", "s1.", "run_1") if word in names[0]]


def test_parallel_tool_calls_and_their_results(adapters: Adapters, control: SimulatorControl, provider: str) -> None:
    wanted = [{"name": "add", "arguments": {"a": 1, "b": 2}}, {"name": "add", "arguments": {"a": 3, "b": 4}}]
    control.load_script({"reply": {"text": "I add.", "tool_calls": wanted}}, {"reply": {"text": "3 and 7."}})
    asked = request(user("Add."), tools=(ADD,))
    first = send(adapters, provider, asked)
    assert [block.arguments for block in first.tool_calls] == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert first.stop is StopReason.TOOL_CALLS
    results = [ToolResultBlock(call_id=block.call_id, content="3") for block in first.tool_calls]
    results[1] = results[1].model_copy(update={"is_error": True, "untrusted": True})
    turn = message("assistant", *first.blocks, raw=first.raw)
    assert send(adapters, provider, request(*asked.messages, turn, user(*results), tools=(ADD,))).text == "3 and 7."


@pytest.mark.parametrize("provider", THINKERS)
def test_thinking_goes_back_to_its_provider_unchanged(
    adapters: Adapters, control: SimulatorControl, provider: str
) -> None:
    # The simulator, as Anthropic does, refuses a thinking block whose signature is not the one it gave.
    thinking = {"thinking": "I think.", "tool_calls": [{"name": "add", "arguments": {"a": 1, "b": 2}}]}
    control.load_script({"reply": thinking}, {"reply": {"text": "3."}})
    asked = request(user("Add."), tools=(ADD,))
    first = send(adapters, provider, asked)
    assert isinstance(first.blocks[0], ThinkingBlock)
    turn = message("assistant", *first.blocks, raw=first.raw)
    result = user(ToolResultBlock(call_id=first.tool_calls[0].call_id, content="3"))
    assert send(adapters, provider, request(*asked.messages, turn, result, tools=(ADD,))).text == "3."


@pytest.mark.parametrize(("one", "other"), [(one, other) for one in PROVIDERS for other in PROVIDERS if one != other])
def test_a_conversation_moves_to_another_provider(
    adapters: Adapters, control: SimulatorControl, one: str, other: str
) -> None:
    wanted = [{"name": "add", "arguments": {"a": 1, "b": 2}, "id": "call|1"}, {"name": "add", "arguments": {"a": 3}}]
    control.load_script(
        {"reply": {"thinking": "I think.", "text": "So:", "tool_calls": wanted}}, {"reply": {"text": "3."}}
    )
    picture = ImageBlock(media_type="image/png", data=PIXEL)
    paper = DocumentBlock(media_type="application/pdf", data="JVBERi0xLjQK", title="a.pdf")
    asked = request(user("Add what you see.", picture, paper), tools=(ADD,))
    first = send(adapters, one, asked)
    turn = message("assistant", *first.blocks, raw=first.raw)
    results = [ToolResultBlock(call_id=block.call_id, content="no", is_error=True) for block in first.tool_calls]
    assert send(adapters, other, request(*asked.messages, turn, user(*results), tools=(ADD,))).text == "3."
    control.assert_consumed()


@pytest.mark.parametrize(("one", "other"), [("anthropic", "bedrock"), ("bedrock", "anthropic")])
def test_claudes_thinking_goes_on_where_the_same_model_family_does(
    adapters: Adapters, control: SimulatorControl, bedrock_fake: BedrockFake, one: str, other: str
) -> None:
    control.load_script({"reply": {"thinking": "I think.", "text": "Yes."}}, {"reply": {"text": "Still yes."}})
    first = send(adapters, one, request())
    turn = message("assistant", *first.blocks, raw=first.raw)
    assert send(adapters, other, request(user("Hello"), turn, user("Sure?"))).text == "Still yes."
    assert any(isinstance(block, ThinkingBlock) for block in first.blocks)


def test_every_content_block_is_accepted(adapters: Adapters, control: SimulatorControl, provider: str) -> None:
    control.load_script({"reply": {"text": "Seen."}})
    blocks = (
        TextBlock(text="look"),
        ImageBlock(media_type="image/png", data=PIXEL),
        DocumentBlock(media_type="application/pdf", data="JVBERi0xLjQK", title="a.pdf"),
        DocumentBlock(media_type="text/plain", data="some words", title="notes"),
    )
    assert send(adapters, provider, request(user(*blocks), user("And?"))).text == "Seen."


def test_a_conversation_with_gaps_is_accepted(adapters: Adapters, control: SimulatorControl, provider: str) -> None:
    control.load_script({"reply": {"text": "Fine."}})
    gaps = [assistant("earlier"), user(""), user("a"), assistant(call("c1"), call("c2")), user("no results")]
    assert send(adapters, provider, request(*gaps, tools=(ADD,))).text == "Fine."


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_every_tool_choice_is_accepted(
    adapters: Adapters, control: SimulatorControl, provider: str, choice: str
) -> None:
    control.load_script({"reply": {"text": "Yes."}})
    assert send(adapters, provider, request(tools=(ADD,), tool_choice=choice)).text == "Yes."


@pytest.mark.parametrize("name", ["anyOf", "oneOf", "allOf"])
def test_a_tool_with_alternatives_is_accepted(adapters: Adapters, provider: str, name: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "number"}}, name: [{"required": ["a"]}]}
    assert send(adapters, provider, request(tools=(ADD.model_copy(update={"input_schema": schema}),))).blocks


@pytest.mark.parametrize(
    "values",
    [
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {},
        {"type": ["string", "null"]},
        {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": ["number", "null"]}]}},
    ],
)
def test_a_schema_that_claude_can_not_express_is_asked_for_in_words(
    adapters: Adapters, provider: str, values: dict[str, Any]
) -> None:
    schema = {"type": "object", "properties": {"values": values}, "required": ["values"], "additionalProperties": False}
    asked = request(output_schema=schema)
    assert send(adapters, provider, asked).blocks
    sent = make_body(SONNET, asked, max_output_tokens=100, effort=None)
    in_words = "must fit this JSON Schema" in json.dumps(sent.get("system"))
    assert in_words is ("format" not in sent.get("output_config", {}))
    assert in_words is (values.get("type") == "object" or not values)


@pytest.mark.parametrize(
    "schema", [SCHEMA, {"type": "object", "properties": {"answer": {"type": "integer", "minimum": 1}}}]
)
def test_structured_output(
    adapters: Adapters, control: SimulatorControl, provider: str, schema: dict[str, Any]
) -> None:
    control.load_script({"reply": {"text": '{"answer": 42}'}})
    assert send(adapters, provider, request(output_schema=schema)).text == '{"answer": 42}'


def test_cached_tokens_are_counted_apart(adapters: Adapters, control: SimulatorControl, provider: str) -> None:
    used = {"input": 1_000, "output": 20, "cache_read": 600, "thinking": 5}
    written = {"cache_write_5m": 300} if SIMULATED[provider] == "anthropic" else {"cache_write": 300}
    control.load_script({"reply": {"text": "Hi.", "usage": used | written}})
    # The simulator bills no cache writes for the model behind the compatible server: they are input there.
    write = 0 if provider == "compatible" else 300
    assert send(adapters, provider, request()).usage == Usage(
        input_tokens=400 - write,
        output_tokens=20,
        cache_read_tokens=600,
        cache_write_5m_tokens=write,
        thinking_tokens=5,
    )


def test_a_growing_conversation_is_read_from_the_providers_cache(
    adapters: Adapters, control: SimulatorControl, provider: str
) -> None:
    system = "You are a careful helper. " * 400
    messages = [user("First question. " * 100)]
    control.load_script(*({"reply": {"text": f"Answer {number}."}} for number in range(3)))
    read = []
    for number in range(3):
        reply = send(adapters, provider, request(*messages, system=system, tools=(ADD,)))
        assert reply.usage is not None
        read.append(reply.usage.cache_read_tokens)
        messages += [message("assistant", *reply.blocks, raw=reply.raw), user(f"Question {number}.")]
    assert read[0] == 0
    assert 0 < read[1] <= read[2]


FAULTS: list[tuple[dict[str, Any], Outcome]] = [
    ({"kind": "status", "status": 429}, Outcome.RATE_LIMIT),
    ({"kind": "status", "status": 529}, Outcome.OVERLOAD),
    ({"kind": "status", "status": 500}, Outcome.OVERLOAD),
    ({"kind": "status", "status": 503}, Outcome.OVERLOAD),
    ({"kind": "status", "status": 504}, Outcome.TIMEOUT),
    ({"kind": "status", "status": 401}, Outcome.AUTHENTICATION),
    ({"kind": "status", "status": 403}, Outcome.AUTHENTICATION),
    ({"kind": "status", "status": 404}, Outcome.AUTHENTICATION),
    ({"kind": "status", "status": 413}, Outcome.CONTEXT_OVERFLOW),
    ({"kind": "status", "status": 400}, Outcome.CALLER_ERROR),
    ({"kind": "html"}, Outcome.OVERLOAD),
    ({"kind": "html", "status": 200}, Outcome.MALFORMED),
    ({"kind": "half_json"}, Outcome.MALFORMED),
    ({"kind": "reset"}, Outcome.CONNECTION),
    ({"kind": "cut_stream"}, Outcome.CONNECTION),
    ({"kind": "context_overflow"}, Outcome.CONTEXT_OVERFLOW),
]


@pytest.mark.parametrize(("fault", "outcome"), FAULTS, ids=[f"{f['kind']}-{f.get('status', '')}" for f, _ in FAULTS])
def test_each_fault_has_its_outcome_and_is_one_request(
    adapters: Adapters, control: SimulatorControl, provider: str, fault: dict[str, Any], outcome: Outcome
) -> None:
    control.add_faults(fault)
    failure = failed(adapters, provider)
    assert failure.outcome is outcome
    assert len(control.list_requests()) == 1
    assert KEY not in f"{failure!r} {failure.error} {failure.__cause__!r}"


@pytest.mark.parametrize(
    ("kind", "stop"), [("refusal", StopReason.REFUSAL), ("truncated_tool_args", StopReason.MAX_TOKENS)]
)
def test_replies_that_stopped_early_say_so(
    adapters: Adapters, control: SimulatorControl, provider: str, kind: str, stop: StopReason
) -> None:
    control.add_faults({"kind": kind})
    assert send(adapters, provider, request(tools=(ADD,))).stop is stop


def test_a_reply_without_usage_says_so(adapters: Adapters, control: SimulatorControl, provider: str) -> None:
    control.add_faults({"kind": "no_usage"})
    assert send(adapters, provider, request()).usage is None


def test_a_provider_that_hangs_is_left_in_time(adapters: Adapters, control: SimulatorControl, provider: str) -> None:
    control.add_faults({"kind": "timeout", "seconds": 20})
    started = time.monotonic()
    assert failed(adapters, provider, timeout=0.3).outcome is Outcome.TIMEOUT
    assert time.monotonic() - started < 10  # far below the fault's 20: the point is that it ended by itself


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("-1", 0.0), ("NaN", None), ("soon", None)])
def test_retry_after_reaches_the_gateway(
    adapters: Adapters, control: SimulatorControl, provider: str, header: str, seconds: float | None
) -> None:
    control.add_faults({"kind": "status", "status": 429, "headers": {"retry-after": header}})
    assert failed(adapters, provider).retry_after == seconds


def test_no_credit_is_told_from_a_rate_limit(adapters: Adapters, control: SimulatorControl, provider: str) -> None:
    if provider == "bedrock":
        pytest.skip("a bill is AWS's affair: there is no such answer")
    bodies = {
        "anthropic": (400, {"type": "invalid_request_error", "message": "Your credit balance is too low."}),
        "openai": (429, {"type": "insufficient_quota", "code": "insufficient_quota", "message": "You exceeded."}),
    }
    status, error = bodies[SIMULATED[provider]]
    control.add_faults({"kind": "status", "status": status, "body": {"type": "error", "error": error}})
    failure = failed(adapters, provider)
    assert (failure.outcome, failure.scope) == (Outcome.AUTHENTICATION, "provider")


def test_a_server_that_is_not_there_is_a_connection_fault(provider: str) -> None:
    adapters = Adapters("http://127.0.0.1:9")
    assert failed(adapters, provider).outcome is Outcome.CONNECTION
    adapters.close()


def _ok(provider: str, arguments: str) -> bytes:
    if provider in ("anthropic", "bedrock"):
        content = f'[{{"type": "tool_use", "id": "t1", "name": "add", "input": {arguments}}}]'
        text = f'{{"type": "message", "content": {content}, "stop_reason": "tool_use", "usage": null}}'
        return text.encode()
    quoted = arguments.replace('"', '\\"')
    if provider == "compatible":
        call = f'{{"id": "c1", "type": "function", "function": {{"name": "add", "arguments": "{quoted}"}}}}'
        choice = f'{{"finish_reason": "tool_calls", "message": {{"content": null, "tool_calls": [{call}]}}}}'
        return f'{{"object": "chat.completion", "choices": [{choice}]}}'.encode()
    item = f'{{"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{quoted}"}}'
    return f'{{"object": "response", "status": "completed", "output": [{item}]}}'.encode()


@pytest.mark.parametrize("arguments", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": ' + "[" * 50 + "]" * 50 + "}"])
def test_arguments_that_mean_two_things_never_become_a_call(serve: Serve, provider: str, arguments: str) -> None:
    adapters = serve(lambda _: Response(200, _ok(provider, arguments), {"content-type": "application/json"}))
    reply = send(adapters, provider, request(tools=(ADD,)))
    assert reply.tool_calls == ()
    assert len(reply.problems) == 1


def test_half_a_surrogate_pair_is_read_as_one_unknown_character(serve: Serve, provider: str) -> None:
    """A model that is cut inside an emoji writes it; what came is paid for, and goes back on every later turn."""
    sent: list[bytes] = []

    def answer(asked: Request) -> Response:
        sent.append(asked.body)
        half = "\\\\ud83d" if provider in ("openai", "compatible") else "\\ud83d"
        return Response(200, _ok(provider, f'{{"a": "x{half}y"}}'), {"content-type": "application/json"})

    adapters = serve(answer)
    reply = send(adapters, provider, request(tools=(ADD,)))
    assert ([call.arguments for call in reply.tool_calls], reply.problems) == ([{"a": "x\ufffdy"}], ())
    assert reply.raw is not None
    written = json.dumps(reply.raw.content, ensure_ascii=False)
    assert "ud83d" not in written.encode().decode()


@pytest.mark.parametrize(("header", "asked"), [("true", True), ("false", False), ("perhaps", None)])
def test_whether_to_ask_again_is_the_providers_word(
    adapters: Adapters, control: SimulatorControl, provider: str, header: str, asked: bool | None
) -> None:
    if provider == "bedrock":
        pytest.skip("AWS sends no such header")
    control.add_faults({"kind": "status", "status": 500, "headers": {"x-should-retry": header}})
    assert failed(adapters, provider).should_retry is asked


ENDS = json.loads((Path(__file__).parents[2] / "data" / "finish_reasons.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("end", "reason"), [(end, reason) for end, reasons in ENDS.items() for reason in reasons])
def test_servers_end_a_completion_in_many_words(serve: Serve, end: str, reason: str) -> None:
    adapters = serve(lambda _: Response(200, wire_bodies.whole("compatible", "Fine.", stop=reason), wire_bodies.JSON))
    if end == "broken off":
        failure = failed(adapters, "compatible")
        assert (failure.outcome, failure.usage is None) == (Outcome.MALFORMED, False)
        return
    expected = {"natural": StopReason.END, "cut": StopReason.MAX_TOKENS, "refused": StopReason.REFUSAL}[end]
    assert send(adapters, "compatible", request()).stop is expected


def test_a_redirect_is_not_followed(serve: Serve, provider: str) -> None:
    seen: list[str] = []

    def redirect(asked: Request) -> Response:
        seen.append(asked.path)
        return Response(307, b"", {"location": "/elsewhere"})

    failure = failed(serve(redirect), provider)
    assert failure.outcome in (Outcome.CONNECTION, Outcome.MALFORMED)
    assert len(seen) == 1


def test_a_reply_in_drops_is_cut_off_in_time(serve: Serve, provider: str) -> None:
    def drops() -> Iterator[bytes]:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            yield b" "
            time.sleep(0.02)

    started = time.monotonic()
    adapters = serve(lambda _: Response(200, drops(), {"content-type": "application/json"}))
    assert failed(adapters, provider, timeout=0.3).outcome is Outcome.TIMEOUT
    assert time.monotonic() - started < 10


def test_errors_do_not_repeat_what_the_provider_says(serve: Serve, provider: str) -> None:
    error = {"type": "invalid request! " + KEY, "code": KEY + "?", "message": f"bad key {KEY} in 'my secret prompt'"}
    adapters = serve(lambda _: json_response(400, {"type": "error", "error": error}))
    failure = failed(adapters, provider)
    assert KEY not in failure.error
    assert "secret prompt" not in failure.error
    assert failure.__cause__ is None
    assert failure.__suppress_context__


class SlowCredentials:
    """A secret store that takes longer than the request may."""

    def __init__(self, clock: Clock, url: str) -> None:
        self._clock = clock
        self._url = url

    def get(self) -> ProviderCredentials:
        self._clock.sleep(6)
        return ProviderCredentials(KEY, self._url)

    def forget(self) -> None:
        """Nothing is kept."""


@pytest.mark.parametrize("kind", [AnthropicChat, OpenAIChat])
def test_what_comes_before_the_request_counts_against_its_time(
    control: SimulatorControl, adapters: Adapters, kind: type[AnthropicChat] | type[OpenAIChat]
) -> None:
    clock = Clock()
    chat = kind(SlowCredentials(clock, adapters.url), clock=clock)
    with pytest.raises(ProviderFailure) as caught:
        chat.send(SONNET, request(), max_output_tokens=9, timeout=5)
    assert (caught.value.outcome, caught.value.sent) == (Outcome.TIMEOUT, False)
    assert control.list_requests() == []
    chat.close()


def test_text_that_is_no_unicode_is_the_callers_error(
    adapters: Adapters, control: SimulatorControl, provider: str
) -> None:
    failure = failed(adapters, provider, request(user("half a pair: \ud83d")))
    assert (failure.outcome, failure.sent) == (Outcome.CALLER_ERROR, False)
    assert control.list_requests() == []
