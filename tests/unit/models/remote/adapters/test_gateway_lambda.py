"""Embeddings through the gateway function: payloads, sizes, errors."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from pentad.domain import errors
from pentad.domain.models import EmbedReply
from pentad.domain.usage import Usage
from pentad.models.remote import wire, wire_errors
from pentad.models.remote.adapters.gateway_lambda import LambdaEmbedder
from pentad.models.shares.ports import SHARE_FIELD
from tests.unit.models.samples import CONTEXT, Clock


class Function:
    """A lambda client whose function embeds, or answers what it is told to."""

    def __init__(self, answer: Any = None, *, error: str | None = None) -> None:
        self._answer = answer
        self._error = error
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        if isinstance(self._answer, Exception):
            raise self._answer
        payload = json.loads(call["Payload"])
        data = self._answer if self._answer is not None else self._embed(payload["texts"])
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return {"Payload": io.BytesIO(body)} | ({"FunctionError": self._error} if self._error else {})

    @staticmethod
    def _embed(texts: list[str]) -> dict[str, Any]:
        vectors = tuple((float(len(text) % 7), 1.0) for text in texts)
        usage = Usage(input_tokens=len(texts))
        return wire.encode_reply(
            EmbedReply(vectors=vectors, provider="p", model="m", dimensions=2, usage=usage, cost_nanousd=len(texts))
        )


def embed(function: Function, *texts: str, seconds: float = 10) -> EmbedReply:
    clock = Clock()
    embedder = LambdaEmbedder(function, "arn:gateway", clock=clock, sleep=clock.sleep)
    return embedder.embed(texts, CONTEXT, deadline=clock.now + seconds)


def test_the_function_is_asked_with_the_documented_payload() -> None:
    function = Function()
    assert embed(function, "a", "bb").vectors == ((1.0, 1.0), (2.0, 1.0))
    assert function.calls[0]["FunctionName"] == "arn:gateway"
    payload = json.loads(function.calls[0]["Payload"])
    assert (payload["op"], payload["texts"], payload["context"]["tenant"]) == ("embed", ["a", "bb"], "acme")


class Restoring(Function):
    """A function whose snapshot is made within a time: until then Lambda answers that it is not ready."""

    def __init__(self, clock: Clock, code: str, *, seconds: float) -> None:
        super().__init__()
        self._clock, self._code, self._ready = clock, code, clock.now + seconds

    def invoke(self, **call: Any) -> dict[str, Any]:
        if self._clock.now < self._ready:
            self.calls.append(call)
            raise ClientError({"Error": {"Code": self._code, "Message": "not ready"}}, "Invoke")
        return super().invoke(**call)


@pytest.mark.parametrize("code", ["SnapStartNotReadyException", "SnapStartTimeoutException", "SnapStartException"])
def test_a_snapshot_that_is_being_made_is_waited_for(code: str) -> None:
    clock = Clock()
    function = Restoring(clock, code, seconds=150)
    embedder = LambdaEmbedder(function, "arn:gateway", clock=clock, sleep=clock.sleep)
    assert embedder.embed(["a"], CONTEXT, deadline=clock.now + 290).vectors
    assert 5 < len(function.calls) < 20


def test_who_has_no_time_for_a_snapshot_is_told_when_to_come_back() -> None:
    clock = Clock()
    began = clock.now
    function = Restoring(clock, "SnapStartNotReadyException", seconds=150)
    embedder = LambdaEmbedder(function, "arn:gateway", clock=clock, sleep=clock.sleep)
    with pytest.raises(errors.ModelUnavailable) as caught:
        embedder.embed(["a"], CONTEXT, deadline=began + 25)
    assert caught.value.retry_after
    assert clock.now < began + 25


def test_a_snapshot_that_is_never_made_ends_with_an_error() -> None:
    clock = Clock()
    function = Restoring(clock, "SnapStartNotReadyException", seconds=1e9)
    with pytest.raises(errors.ModelUnavailable):
        LambdaEmbedder(function, "arn:gateway", clock=clock, sleep=clock.sleep).embed(
            ["a"], CONTEXT, deadline=clock.now + 1e6
        )
    assert len(function.calls) < 30


def test_a_throttled_call_is_waited_for_as_long_as_there_is_time() -> None:
    clock = Clock()
    function = Restoring(clock, "TooManyRequestsException", seconds=40)
    embedder = LambdaEmbedder(function, "arn:gateway", clock=clock, sleep=clock.sleep)
    assert embedder.embed(["a"], CONTEXT, deadline=clock.now + 290).vectors
    assert len(function.calls) > 3


def test_a_call_that_stays_throttled_ends_as_throttled_before_the_deadline() -> None:
    clock = Clock()
    deadline = clock.now + 25
    function = Restoring(clock, "TooManyRequestsException", seconds=1e9)
    with pytest.raises(errors.ModelThrottled):
        LambdaEmbedder(function, "arn:gateway", clock=clock, sleep=clock.sleep).embed(["a"], CONTEXT, deadline=deadline)
    assert clock.now < deadline


class Shared(Function):
    """The tenant's other calls hold its share for some seconds."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        super().__init__()
        self._clock, self._free = clock, clock.now + seconds

    def invoke(self, **call: Any) -> dict[str, Any]:
        if self._clock.now >= self._free:
            return super().invoke(**call)
        self.calls.append(call)
        full = errors.ModelThrottled("its share", retry_after=2.0, field=SHARE_FIELD)
        return {"Payload": io.BytesIO(json.dumps(wire_errors.encode_error(full)).encode())}


def test_a_call_beyond_its_tenants_share_waits_for_its_turn_as_long_as_there_is_time() -> None:
    clock = Clock()
    function = Shared(clock, seconds=60)
    embedder = LambdaEmbedder(function, "arn:gateway", clock=clock, sleep=clock.sleep)
    assert embedder.embed(["a"], CONTEXT, deadline=clock.now + 290).vectors
    assert len(function.calls) > 5


def test_a_share_that_stays_full_is_told_before_the_deadline_and_names_no_field() -> None:
    clock = Clock()
    deadline = clock.now + 25
    embedder = LambdaEmbedder(Shared(clock, seconds=1e9), "arn:gateway", clock=clock, sleep=clock.sleep)
    with pytest.raises(errors.ModelThrottled) as caught:
        embedder.embed(["a"], CONTEXT, deadline=deadline)
    assert clock.now < deadline
    assert (caught.value.retry_after, caught.value.field) == (2.0, None)


def test_a_provider_that_says_429_is_not_asked_again_by_the_caller() -> None:
    function = Function(wire_errors.encode_error(errors.ModelThrottled("429", retry_after=2.0)))
    with pytest.raises(errors.ModelThrottled):
        embed(function, "a")
    assert len(function.calls) == 1


def test_a_large_call_is_split_and_joined_in_order() -> None:
    function = Function()
    texts = ["x" * (index % 7 + 1) for index in range(wire.MAX_TEXTS + 5)]
    reply = embed(function, *texts)
    assert len(function.calls) == 2
    assert [vector[0] for vector in reply.vectors] == [len(text) % 7 for text in texts]
    assert (reply.usage.input_tokens, reply.cost_nanousd) == (len(texts), len(texts))


def test_a_call_stays_under_lambdas_payload() -> None:
    function = Function()
    embed(function, *["é" * 300_000] * 8)
    assert len(function.calls) > 1
    assert max(len(call["Payload"]) for call in function.calls) < 6 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("ModelThrottled", errors.ModelThrottled),
        ("ModelUnavailable", errors.ModelUnavailable),
        ("InvalidInput", errors.InvalidInput),
        ("IdempotencyConflict", errors.IdempotencyConflict),
        ("LimitReached", errors.LimitReached),
        ("Sandbox.Timedout", errors.ModelUnavailable),
        ("KeyError", errors.ModelUnavailable),
        ("", errors.ModelUnavailable),
    ],
)
def test_the_functions_error_is_mapped_back_to_the_tree(name: str, error: type[Exception]) -> None:
    payload = {"errorType": name, "errorMessage": "said so", "stackTrace": []}
    with pytest.raises(error) as caught:
        embed(Function(payload, error="Unhandled"), "a")
    assert type(caught.value) is error


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "Invoke")


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (_client_error("TooManyRequestsException"), errors.ModelThrottled),
        (_client_error("ServiceException"), errors.ModelUnavailable),
        (EndpointConnectionError(endpoint_url="x"), errors.ModelUnavailable),
        (_client_error("AccessDeniedException"), errors.ConfigurationError),
        (_client_error("InvalidRequestContentException"), errors.ConfigurationError),
    ],
)
def test_errors_of_lambda_itself_are_translated(raised: Exception, error: type[Exception]) -> None:
    with pytest.raises(error):
        embed(Function(raised), "a")


@pytest.mark.parametrize("answer", [b"<html>", {"vectors": "x"}, [1]])
def test_an_answer_that_is_no_reply_is_an_outage(answer: Any) -> None:
    with pytest.raises(errors.ModelUnavailable):
        embed(Function(answer), "a")


def test_nothing_is_asked_past_the_deadline() -> None:
    function = Function()
    with pytest.raises(errors.ModelUnavailable):
        embed(function, "a", seconds=0)
    assert function.calls == []


@pytest.mark.parametrize("texts", [(), ("a", "")])
def test_bad_texts_are_refused_before_the_call(texts: tuple[str, ...]) -> None:
    function = Function()
    with pytest.raises(errors.InvalidInput):
        embed(function, *texts)
    assert function.calls == []
