"""The gateway function's ``complete`` call on the wire: both ends use these, so they can't drift apart."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from pentad.domain.errors import InvalidInput, MalformedReply, ModelUnavailable
from pentad.domain.models import CallContext, ChatReply, ChatRequest
from pentad.domain.schemas import MAX_DEFERRED_PARTS, MAX_REQUEST_PARTS, check_schema_limits
from pentad.domain.tracing import HEADER, read_traceparent
from pentad.domain.values import FrozenValue
from pentad.models.remote.wire_errors import Errors, decode_attempts

MAX_CALL_BYTES = 5_500_000
"""Lambda takes and gives 6 MB a payload (AWS Lambda quotas); the rest is left for what is around it."""
_CONTEXT = "context"
_OLD_OUTAGE = "degraded"
"""An older gateway says so in a reply: two versions run while one is rolled out."""


class CompleteCall(FrozenValue, extra="ignore"):
    """The payload ``{op: "complete", request, context, deadline?, errors?}``; ``op`` is the handler's affair."""

    request: dict[str, Any] = Field(description="a ChatRequest without its context")
    context: CallContext
    deadline: float | None = Field(default=None, description="time.time() by which an answer is of use")
    errors: Errors = "raise"
    identity: str | None = Field(default=None, repr=False, description="proves for whom a graph asks")

    def to_request(self) -> ChatRequest:
        """Return the request, with its context.

        Raises:
            InvalidInput: it is none, or has a schema without bound; the field says where.
        """
        try:
            request = ChatRequest.model_validate({**self.request, _CONTEXT: self.context})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in ("request", *first["loc"]))
            raise InvalidInput(f"{field}: {first['msg']}", field=field, fix=first["msg"]) from error
        _check_schemas(request)
        return request


def _check_schemas(request: ChatRequest) -> None:
    """Return if the schemas can be held against replies in bounded time.

    Raises:
        InvalidInput: one can't; the field says which and where.
    """
    for field, tools, most in (
        ("request.tools", request.tools, MAX_REQUEST_PARTS),
        ("request.deferred", request.deferred, MAX_DEFERRED_PARTS),
    ):
        parts = 0
        for index, tool in enumerate(tools):
            parts += check_schema_limits(tool.input_schema, f"{field}.{index}.input_schema")
            if parts > most:
                message = f"the tools' schemas have more than {most:,} parts in all"
                raise InvalidInput(message, field=field, fix="offer fewer tools")
    if request.output_schema is not None:
        check_schema_limits(request.output_schema, "request.output_schema")


def encode_call(request: ChatRequest, deadline: float, identity: str | None = None) -> bytes:
    """Return the payload of a call.

    Args:
        request: what is asked, and for whom.
        deadline: ``time.time()`` by which an answer is of use.
        identity: what proves for whom a graph asks; see `pentad.models.remote.identity`.

    Raises:
        InvalidInput: it is more than Lambda takes.
    """
    call = {
        "op": "complete",
        "request": request.model_dump(mode="json", exclude={_CONTEXT}),
        "context": request.context.model_dump(mode="json"),
        "deadline": deadline,
        "errors": "return",
    }
    if identity is not None:
        call["identity"] = identity
    traceparent = read_traceparent()
    if traceparent is not None:
        call[HEADER] = traceparent
    data = json.dumps(call, ensure_ascii=False, separators=(",", ":")).encode()
    if len(data) > MAX_CALL_BYTES:
        raise InvalidInput(
            f"the conversation has more than {MAX_CALL_BYTES:,} bytes", field="messages", fix="shorten it"
        )
    return data


def encode_reply(reply: ChatReply) -> dict[str, Any]:
    """Return the function's answer: without the provider's own form where both are more than Lambda gives.

    Raises:
        MalformedReply: it is too large even so.
    """
    answer = reply.model_dump(mode="json")
    if _count_bytes(answer) > MAX_CALL_BYTES:
        answer["message"].pop("raw", None)
        if _count_bytes(answer) > MAX_CALL_BYTES:
            raise MalformedReply(f"the reply has more than {MAX_CALL_BYTES:,} bytes")
    return answer


def _count_bytes(value: Any) -> int:
    # Lambda's runtime may escape what is not ASCII: count as it would.
    return len(json.dumps(value))


def decode_reply(payload: Any) -> ChatReply:
    """Return the reply in the function's answer; what this version does not know of it is left out.

    Raises:
        ModelUnavailable: an older gateway tells so by a notice in the place of an answer.
        ValueError: it is none (pydantic's error is one).
    """
    if isinstance(payload, Mapping) and payload.get(_OLD_OUTAGE):
        error = ModelUnavailable("no model could be reached")
        error.attempts = decode_attempts(payload.get("attempts", ()))
        raise error
    return ChatReply.model_validate(payload, extra="ignore")
