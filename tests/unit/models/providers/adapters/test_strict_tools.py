"""What a provider refuses in strict mode is not sent in it again; any other refusal is what it was."""

from typing import Any

import pytest

from pentad.domain.models import ChatRequest, Outcome
from pentad.models.providers.adapters.sdk import WireReply
from pentad.models.providers.adapters.strict_tools import StrictTools
from pentad.models.providers.exchange import ProviderFailure
from pentad.models.providers.outcomes import FailureSignal, refuses_schema
from tests.unit.models.samples import ADD, GPT, request, user


class Wire:
    """Refuses strict mode, or everything."""

    def __init__(self, *, schema: bool = True, always: bool = False) -> None:
        self.schema, self.always = schema, always
        self.sent: list[bool] = []

    def post(self, body: dict[str, Any]) -> WireReply:
        strict = any(tool["strict"] for tool in body["tools"])
        self.sent.append(strict)
        if strict or self.always:
            failure = ProviderFailure(Outcome.CALLER_ERROR, "BadRequestError 400", status=400)
            failure.refuses_schema = self.schema
            raise failure
        return WireReply({}, None, "", False)


def ask(strict: StrictTools, wire: Wire, asked: ChatRequest) -> WireReply:
    return strict.send(GPT, asked, lambda on: {"tools": [{"name": "add", "strict": on}]}, wire.post)


def test_a_refused_schema_asks_for_another_attempt_which_is_without_strict_mode() -> None:
    strict, wire, asked = StrictTools(), Wire(), request(user("x"), tools=(ADD,))
    with pytest.raises(ProviderFailure) as caught:
        ask(strict, wire, asked)
    assert (caught.value.outcome, caught.value.should_retry) == (Outcome.OVERLOAD, True)
    ask(strict, wire, asked)
    ask(strict, wire, request(user("y"), tools=(ADD,)))
    assert wire.sent == [True, False, False]
    # Other tools are tried in strict mode.
    with pytest.raises(ProviderFailure):
        ask(strict, wire, request(user("x"), tools=(ADD.model_copy(update={"name": "other"}),)))
    assert wire.sent[-1] is True


@pytest.mark.parametrize("wire", [Wire(schema=False), Wire(schema=False, always=True)])
def test_any_other_refusal_stays_what_it_was(wire: Wire) -> None:
    strict, asked = StrictTools(), request(user("x"), tools=(ADD,))
    for _ in range(2):
        with pytest.raises(ProviderFailure) as caught:
            ask(strict, wire, asked)
        assert caught.value.outcome is Outcome.CALLER_ERROR
    assert wire.sent == [True, True]


@pytest.mark.parametrize(
    ("status", "message", "refused"),
    [
        (400, "The compiled grammar is too large, which would cause performance issues.", True),
        (400, "Schema is too complex for compilation. Try reducing the number of tools.", True),
        (400, "Schemas contains too many optional parameters (26), limit 24", True),
        (400, "Invalid schema for function 'act': In context=(), 'additionalProperties' is required", True),
        (400, "messages: roles must alternate", False),
        (429, "The compiled grammar is too large", False),
    ],
)
def test_a_schema_is_what_is_refused_where_the_provider_says_so(status: int, message: str, refused: bool) -> None:
    assert refuses_schema(FailureSignal(status, message=message)) is refused
