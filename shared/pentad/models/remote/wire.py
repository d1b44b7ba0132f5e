"""The gateway function's ``embed`` call on the wire: both ends use these, so they can't drift apart."""

import base64
import struct
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from pentad.domain.errors import InvalidInput
from pentad.domain.models import CallContext, EmbedReply
from pentad.domain.tracing import HEADER, read_traceparent
from pentad.domain.usage import Usage
from pentad.domain.values import FrozenValue
from pentad.models.remote.wire_errors import Errors

MAX_TEXTS = 1_024  # of one call: their vectors stay under Lambda's 6 MB reply


class EmbedCall(FrozenValue, extra="ignore"):
    """The payload ``{op: "embed", texts, context, deadline?, dimensions?, errors?}``; the handler reads ``op``."""

    texts: tuple[str, ...]
    context: CallContext
    deadline: float | None = Field(default=None, description="time.time() by which an answer is of use")
    dimensions: int | None = Field(default=None, ge=1, description="of a vector; the deployment's where none is given")
    errors: Errors = "raise"


class _EmbedAnswer(FrozenValue, extra="ignore"):
    vectors: tuple[str, ...]
    dimensions: int
    provider: str
    model: str
    usage: Usage
    cost_nanousd: int


def check_texts(texts: Sequence[str]) -> None:
    """Return if the texts can be embedded in one call.

    Raises:
        InvalidInput: none, too many, or an empty one.
    """
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise InvalidInput(f"{len(texts)} texts in one call", field="texts", fix=f"give 1 to {MAX_TEXTS}")
    for index, text in enumerate(texts):
        if not text.strip():
            raise InvalidInput("a text is empty", field=f"texts[{index}]", fix="leave it out")


def decode_floats(data: bytes) -> tuple[float, ...]:
    """Return the numbers of little-endian float32.

    Raises:
        ValueError: the length is no multiple of four.
    """
    if len(data) % 4:
        raise ValueError("the bytes are not float32 numbers")
    return struct.unpack(f"<{len(data) // 4}f", data)


def encode_vector(vector: Sequence[float]) -> str:
    """Return a vector as base64 of little-endian float32."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def decode_vector(text: str) -> tuple[float, ...]:
    """Return the vector that `encode_vector` wrote.

    Raises:
        ValueError: it is none.
    """
    return decode_floats(base64.b64decode(text, validate=True))


def encode_call(
    texts: Sequence[str], context: CallContext, deadline: float | None = None, dimensions: int | None = None
) -> dict[str, Any]:
    """Return the payload of a call."""
    call = {"op": "embed", "texts": list(texts), "context": context.model_dump(mode="json", exclude_none=True)}
    optional = {"deadline": deadline, "dimensions": dimensions, HEADER: read_traceparent()}
    return call | {"errors": "return"} | {name: value for name, value in optional.items() if value is not None}


def encode_reply(reply: EmbedReply) -> dict[str, Any]:
    """Return the function's answer."""
    return {
        "vectors": [encode_vector(vector) for vector in reply.vectors],
        "dimensions": reply.dimensions,
        "provider": reply.provider,
        "model": reply.model,
        "usage": reply.usage.model_dump(mode="json"),
        "cost_nanousd": reply.cost_nanousd,
    }


def decode_reply(payload: Any) -> EmbedReply:
    """Return the reply in the function's answer.

    Raises:
        ValueError: it is none (pydantic's error is one).
    """
    answer = _EmbedAnswer.model_validate(payload)
    return EmbedReply(
        vectors=tuple(decode_vector(vector) for vector in answer.vectors),
        provider=answer.provider,
        model=answer.model,
        dimensions=answer.dimensions,
        usage=answer.usage,
        cost_nanousd=answer.cost_nanousd,
    )
