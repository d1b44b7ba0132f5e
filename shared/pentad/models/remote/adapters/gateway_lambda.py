"""The model gateway through its function: other functions have no provider's key and load no provider's SDK."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import SNAP_START, code_of, translate_errors
from pentad.aws.invoke import SNAPSHOT_SECONDS, THROTTLED, USEFUL_SECONDS, invoke_when_ready
from pentad.aws.jitter import draw
from pentad.domain import errors
from pentad.domain.models import CallContext, ChatReply, ChatRequest, EmbedReply
from pentad.domain.reading.json_text import read_json
from pentad.domain.usage import Usage
from pentad.models.remote import wire, wire_chat, wire_errors
from pentad.models.remote.wire import MAX_TEXTS, check_texts
from pentad.models.shares.ports import SHARE_FIELD

_WHAT = "the gateway function"
_UNUSABLE = f"{_WHAT} returned no usable reply"
_MAX_CALL_BYTES = 4 * 1024 * 1024  # Lambda takes 6 MB; JSON may escape
_SHARE_SECONDS = 8.0
_SHARE_TRIES = 60
"""With half of the longest wait on average, more than the five minutes that a function of ours runs."""
_BUSY = frozenset({THROTTLED, "ThrottlingException"})


class _GatewayFunction:
    """The gateway's function: one invocation, its errors as ours."""

    def __init__(self, client: Any, name: str, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._sleep = sleep

    def __call__(self, payload: bytes, deadline: float) -> Any:
        """Return the JSON of the function's answer.

        While the tenant's other calls hold all of its share, no model is asked: that is waited out, as long as there is
        time, with full jitter.
        """
        for number in range(_SHARE_TRIES):
            try:
                return self._call(payload, deadline)
            except errors.ModelThrottled as error:
                seconds = draw() * min(_SHARE_SECONDS, 2.0**number)
                if not _is_share(error) or self._clock() + seconds + USEFUL_SECONDS >= deadline:
                    error.field = None if error.field == SHARE_FIELD else error.field  # no field of the caller's
                    raise
                self._sleep(seconds)
        return self._call(payload, deadline)

    def _call(self, payload: bytes, deadline: float) -> Any:
        if self._clock() >= deadline:
            raise errors.ModelUnavailable(f"no time is left to call {_WHAT}")
        try:
            with translate_errors(_WHAT):
                reply = invoke_when_ready(
                    self._client, self._name, payload, deadline=deadline, clock=self._clock, sleep=self._sleep
                )
                data = reply["Payload"].read()
        except errors.StoreUnavailable as error:
            code = code_of(error.__cause__) if isinstance(error.__cause__, ClientError) else ""
            kind = errors.ModelThrottled if code in _BUSY else errors.ModelUnavailable
            raise kind(error.message, retry_after=SNAPSHOT_SECONDS if code in SNAP_START else None) from error
        except ClientError as error:
            raise errors.ConfigurationError(f"{_WHAT} refused the call: {code_of(error)}") from error
        if reply.get("FunctionError"):
            raise _decode_function_error(data)
        try:
            answer = read_json(data)
        except ValueError as error:
            raise errors.ModelUnavailable(_UNUSABLE) from error
        told = wire_errors.decode_error(answer)
        if told is not None:
            raise told
        return answer


class LambdaChatModel:
    """A `pentad.models.ports.ChatModel` that invokes the gateway function, which stops trying at the same deadline.

    Args:
        client: boto3's client of lambda, with a read timeout above the time that calls are given.
        function: ARN or name of the function or its alias.
        clock: ``time.time``.
        sleep: ``time.sleep``.
        identity: what proves to the gateway for whom a graph asks.
    """

    def __init__(
        self,
        client: Any,
        function: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        identity: str | None = None,
    ) -> None:
        self._call = _GatewayFunction(client, function, clock, sleep)
        self._identity = identity

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; see the port."""
        answer = self._call(wire_chat.encode_call(request, deadline, self._identity), deadline)
        try:
            return wire_chat.decode_reply(answer)
        except ValueError as error:
            raise errors.ModelUnavailable(_UNUSABLE) from error


class LambdaEmbedder:
    """A `pentad.models.ports.Embedder` that invokes the gateway function.

    Args:
        client: boto3's client of lambda, with a read timeout above the gateway's own time.
        function: ARN or name of the function or its alias.
        clock: ``time.time``.
        sleep: ``time.sleep``.
    """

    def __init__(
        self,
        client: Any,
        function: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._call = _GatewayFunction(client, function, clock, sleep)

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        """Return the vectors; see the port. Large calls are split to fit Lambda's payloads."""
        replies = []
        for part in _split_texts(texts):
            check_texts(part)
            call = json.dumps(wire.encode_call(part, context, deadline, dimensions)).encode()
            try:
                replies.append(wire.decode_reply(self._call(call, deadline)))
            except ValueError as error:
                raise errors.ModelUnavailable(_UNUSABLE) from error
        return _join_replies(replies)


def _split_texts(texts: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        length = len(json.dumps(text))
        if part and (len(part) == MAX_TEXTS or size + length > _MAX_CALL_BYTES):
            yield part
            part, size = [], 0
        part.append(text)
        size += length
    yield part


def _join_replies(replies: Sequence[EmbedReply]) -> EmbedReply:
    if len(replies) == 1:
        return replies[0]
    usage = Usage()
    for reply in replies:
        usage = usage + reply.usage
    return replies[0].model_copy(
        update={
            "vectors": tuple(vector for reply in replies for vector in reply.vectors),
            "usage": usage,
            "cost_nanousd": sum(reply.cost_nanousd for reply in replies),
        }
    )


def _is_share(error: errors.ModelThrottled) -> bool:
    """Tell if the gateway refused the call for its tenant's share, before anything was asked."""
    return not error.attempts and error.field == SHARE_FIELD


def _decode_function_error(data: bytes) -> errors.PentadError:
    """Return the error that Lambda's error payload names; a name of no error of ours is a fault of the function."""
    try:
        payload = read_json(data)
    except ValueError:
        payload = None
    payload = payload if isinstance(payload, dict) else {}
    name, message = str(payload.get("errorType", "")), str(payload.get("errorMessage", ""))[:500]
    error = wire_errors.from_name(name, message)
    return error or errors.ModelUnavailable(f"{_WHAT} failed: {name[:100] or 'no error type'}")
