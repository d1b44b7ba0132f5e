"""The ``complete`` call and its reply on the wire, and the chat model over the gateway's function."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from pentad.domain import errors
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.messages import Message, ProviderRaw, TextBlock, ToolCallBlock
from pentad.domain.models import Attempt, CallContext, ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.remote import wire_chat, wire_errors
from pentad.models.remote.adapters.gateway_lambda import LambdaChatModel
from tests.unit.models.samples import Clock

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _message(text: str, *, raw: Any = None) -> Message:
    kept = ProviderRaw(provider="p", model="m", content=raw) if raw is not None else None
    return Message(message_id="m1", role="user", blocks=(TextBlock(text=text),), created_at=NOW, raw=kept)


def _request(text: str = "Hello") -> ChatRequest:
    schema = {"type": "object", "properties": {"a": {"enum": [None, 1], "default": None}}}
    return ChatRequest(
        context=CallContext(tenant_id="acme", user_id="u1", purpose="door"),
        model="m",
        messages=(_message(text, raw=[{"text": None}]),),
        tools=(ToolSpec(name="look", description="Looks.", input_schema=schema, effects="none"),),
    )


def _reply(raw: Any = None) -> ChatReply:
    call = ToolCallBlock(call_id="c1", tool="look", arguments={"a": None})
    message = _message("Hi", raw=raw).model_copy(update={"role": "assistant", "blocks": (call,)})
    return ChatReply(
        message=message, stop=StopReason.TOOL_CALLS, usage=Usage(), cost_nanousd=7, provider="p", model="m"
    )


class Function:
    """A lambda client whose function answers what it is told to."""

    def __init__(self, answer: Any, *, error: bool = False) -> None:
        self.answer, self.error = answer, error
        self.payloads: list[Any] = []

    def invoke(self, **call: Any) -> dict[str, Any]:
        self.payloads.append(json.loads(call["Payload"]))
        body = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return body | ({"FunctionError": "Unhandled"} if self.error else {})


def test_a_request_survives_the_wire_with_its_nulls() -> None:
    request = _request("Grüße \u4f60\u597d")
    payload = json.loads(wire_chat.encode_call(request, 5.0))
    assert (payload["op"], payload["deadline"], "context" in payload["request"]) == ("complete", 5.0, False)
    assert wire_chat.CompleteCall.model_validate(payload).to_request() == request


def test_a_reply_survives_the_wire_with_its_nulls() -> None:
    reply = _reply(raw=[{"signature": None}])
    assert wire_chat.decode_reply(json.loads(json.dumps(wire_chat.encode_reply(reply)))) == reply


def test_a_request_that_is_none_is_the_callers_fault_and_names_the_field() -> None:
    call = wire_chat.CompleteCall.model_validate(
        {"request": {"messages": [], "temperature": 1}, "context": {"tenant": "acme"}}
    )
    with pytest.raises(errors.InvalidInput) as caught:
        call.to_request()
    assert caught.value.field == "request.temperature"


def test_a_context_in_the_request_does_not_replace_the_callers() -> None:
    call = wire_chat.CompleteCall.model_validate(
        {"request": {"messages": [], "context": {"tenant": "b"}}, "context": {"tenant": "a"}}
    )
    assert call.to_request().context.tenant_id == "a"


def test_a_call_without_a_context_is_none() -> None:
    with pytest.raises(ValidationError):
        wire_chat.CompleteCall.model_validate({"request": {"messages": []}})


def test_a_conversation_beyond_lambdas_payload_is_refused_before_the_call() -> None:
    with pytest.raises(errors.InvalidInput, match="bytes"):
        wire_chat.encode_call(_request("x" * wire_chat.MAX_CALL_BYTES), 5.0)


def test_a_reply_beyond_lambdas_payload_leaves_its_raw_form_behind() -> None:
    answer = wire_chat.encode_reply(_reply(raw=["x" * wire_chat.MAX_CALL_BYTES]))
    assert "raw" not in answer["message"]
    assert wire_chat.decode_reply(answer).message.raw is None


def test_a_reply_too_large_even_so_is_malformed() -> None:
    reply = _reply().model_copy(update={"message": _message("\u4f60" * (wire_chat.MAX_CALL_BYTES // 6))})
    with pytest.raises(errors.MalformedReply):
        wire_chat.encode_reply(reply)


def test_the_chat_model_gives_the_functions_reply() -> None:
    function = Function(wire_chat.encode_reply(_reply()))
    clock = Clock()
    reply = LambdaChatModel(function, "arn:gateway", clock=clock).complete(_request(), deadline=clock.now + 9)
    assert reply == _reply()
    assert function.payloads[0]["deadline"] == clock.now + 9


@pytest.mark.parametrize("kind", [*errors.iter_leaves(), errors.InvalidInput], ids=lambda kind: kind.__name__)
def test_the_functions_error_comes_back_as_its_class(kind: type[errors.PentadError]) -> None:
    clock = Clock()
    model = LambdaChatModel(Function({"errorType": kind.__name__, "errorMessage": "why"}, error=True), "f", clock=clock)
    with pytest.raises(kind, match="why"):
        model.complete(_request(), deadline=clock.now + 9)


def test_an_error_that_was_answered_keeps_what_it_knows() -> None:
    told = errors.BudgetExceeded("used up", fix="wait", budget="tenant acme, day", resets_at="2026-11-23T00:00:00Z")
    clock, function = Clock(), Function(wire_errors.encode_error(told))
    with pytest.raises(errors.BudgetExceeded, match="used up") as caught:
        LambdaChatModel(function, "f", clock=clock).complete(_request(), deadline=clock.now + 9)
    assert vars(caught.value) == vars(told)
    assert function.payloads[0]["errors"] == "return"


def _attempt() -> Attempt:
    return Attempt(
        attempt_id="att_1",
        context=CallContext(tenant_id="acme"),
        provider="p",
        model="m",
        tier="primary",
        link=0,
        number=1,
        outcome=Outcome.OVERLOAD,
        started_at=NOW,
        duration_ms=5,
    )


def test_an_outage_keeps_the_attempts_with_their_outcomes_on_the_wire() -> None:
    told = errors.ModelUnavailable("no model could be reached")
    told.attempts = (_attempt(),)
    clock, function = Clock(), Function(wire_errors.encode_error(told))
    with pytest.raises(errors.ModelUnavailable) as caught:
        LambdaChatModel(function, "f", clock=clock).complete(_request(), deadline=clock.now + 9)
    assert caught.value.attempts == told.attempts


@pytest.mark.parametrize("attempts", [{"outcome": "no such"}, "x", [1], {"a": 1}])
def test_attempts_that_cant_be_read_are_left_out(attempts: Any) -> None:
    told = {"error": {"type": "ModelUnavailable", "message": "down", "attempts": attempts}}
    error = wire_errors.decode_error(told)
    assert (type(error), error and error.attempts) == (errors.ModelUnavailable, ())


def test_the_notice_of_an_older_gateway_is_an_outage() -> None:
    told = wire_chat.encode_reply(_reply()) | {"degraded": True, "attempts": [_attempt().model_dump(mode="json")]}
    with pytest.raises(errors.ModelUnavailable) as caught:
        wire_chat.decode_reply(told)
    assert caught.value.attempts == (_attempt(),)


def test_a_reply_of_an_older_gateway_is_read() -> None:
    assert wire_chat.decode_reply(wire_chat.encode_reply(_reply()) | {"degraded": False}) == _reply()


def test_an_error_of_no_class_of_ours_is_an_outage() -> None:
    assert isinstance(wire_errors.decode_error({"error": {"type": "SystemExit"}}), errors.ModelUnavailable)


def test_an_answer_that_is_no_reply_is_an_outage() -> None:
    clock = Clock()
    with pytest.raises(errors.ModelUnavailable):
        LambdaChatModel(Function({"text": "x"}), "f", clock=clock).complete(_request(), deadline=clock.now + 9)


def test_nothing_is_asked_past_the_deadline() -> None:
    clock, function = Clock(), Function({})
    with pytest.raises(errors.ModelUnavailable):
        LambdaChatModel(function, "f", clock=clock).complete(_request(), deadline=clock.now)
    assert function.payloads == []


@pytest.mark.parametrize("field", ["tools", "deferred"])
def test_a_schema_without_bound_is_refused_also_of_a_tool_that_is_kept_back(field: str) -> None:
    endless = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=a)"}}}
    tool = ToolSpec(name="look", description="Looks.", input_schema=endless, effects="none")
    request = _request().model_copy(update={field: (tool,)})
    call = wire_chat.CompleteCall.model_validate(json.loads(wire_chat.encode_call(request, 1.0)))
    with pytest.raises(errors.InvalidInput) as caught:
        call.to_request()
    assert str(caught.value.field).startswith(f"request.{field}.0.input_schema.properties.a")
