"""The embed call goes over the wire and back unchanged."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pentad.domain.models import CallContext, EmbedReply
from pentad.domain.tracing import TraceContext, enter_place
from pentad.domain.usage import Usage
from pentad.models.remote import wire
from tests.unit.models.samples import CONTEXT

_numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(_numbers, max_size=8))
def test_a_vector_of_float32_comes_back_as_it_was(vector: list[float]) -> None:
    assert list(wire.decode_vector(wire.encode_vector(vector))) == vector


def test_a_vector_is_little_endian_float32() -> None:
    assert wire.encode_vector([1.0]) == "AACAPw=="


@pytest.mark.parametrize("text", ["AAA=", "not base64!"])
def test_what_is_no_vector_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        wire.decode_vector(text)


def test_a_reply_comes_back_as_it_was() -> None:
    reply = EmbedReply(
        vectors=((0.5, -0.25), (math.pi, 0.0)),
        provider="openai",
        model="text-embedding-3-small",
        dimensions=2,
        usage=Usage(input_tokens=9),
        cost_nanousd=180,
    )
    back = wire.decode_reply(json.loads(json.dumps(wire.encode_reply(reply))))
    assert back.vectors[0] == reply.vectors[0]
    assert back.vectors[1][0] == pytest.approx(math.pi, rel=1e-7)
    assert back.model_copy(update={"vectors": ()}) == reply.model_copy(update={"vectors": ()})


def test_a_call_comes_back_as_it_was() -> None:
    payload = json.loads(json.dumps(wire.encode_call(["a", "b"], CONTEXT)))
    assert payload["op"] == "embed"
    call = wire.EmbedCall.model_validate(payload)
    assert (call.texts, call.context) == (("a", "b"), CONTEXT)


def test_what_is_no_call_is_refused() -> None:
    with pytest.raises(ValidationError):
        wire.EmbedCall.model_validate({"op": "embed", "texts": "a"})


def test_a_call_names_the_span_that_it_belongs_to_where_one_is_open() -> None:
    context = CallContext(tenant_id="acme")
    assert "traceparent" not in wire.encode_call(["x"], context)
    with enter_place(TraceContext("a" * 32, "b" * 16)):
        assert wire.encode_call(["x"], context)["traceparent"] == f"00-{'a' * 32}-{'b' * 16}-01"
