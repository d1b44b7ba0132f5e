"""Values of a type from replies: validated, repaired once, or a typed failure."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator

from pentad.domain.errors import (
    ContextOverflow,
    InvalidInput,
    MalformedReply,
    ModelUnavailable,
    PentadError,
    Refused,
)
from pentad.domain.messages import TextBlock
from pentad.domain.models import Attempt, CallContext, ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.structured.schemas import build_strict_schema
from pentad.models.structured.structured import IN_WORDS, Structured, complete_as, complete_in_words
from tests.unit.models.samples import ADD, SCHEMA, assistant, request, user


class Invoice(BaseModel):
    number: str = Field(pattern="^INV-[0-9]+$")
    cents: int = Field(ge=0)

    @field_validator("cents")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value == 13:
            raise ValueError("13 cents are never billed")
        return value


GOOD = '{"number": "INV-7", "cents": 100}'
BAD = '{"number": "7", "cents": -1}'


class Scripted:
    """A model that gives its replies in order."""

    def __init__(self, *replies: ChatReply) -> None:
        self.asked: list[ChatRequest] = []
        self._replies = list(replies)

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        self.asked.append(request)
        return self._replies.pop(0)


def said(text: str, **fields: Any) -> ChatReply:
    values: dict[str, Any] = {
        "message": assistant(text),
        "stop": StopReason.END,
        "usage": Usage(input_tokens=10, output_tokens=2),
        "cost_nanousd": 21,
        "provider": "anthropic",
        "model": "claude-haiku-5-5",
    }
    return ChatReply.model_validate(values | fields)


def ask(model: Scripted, asked: ChatRequest | None = None) -> Structured[Invoice]:
    return complete_as(model, asked or request(user("Which invoice?"), task="extract"), Invoice, deadline=1.0)


def test_a_reply_that_fits_is_the_value() -> None:
    model = Scripted(said(GOOD))
    found = ask(model)
    assert (found.value, found.repaired) == (Invoice(number="INV-7", cents=100), False)
    assert model.asked[0].output_schema == build_strict_schema(Invoice)


def test_half_of_a_pair_in_a_value_is_one_unknown_character() -> None:
    class Note(BaseModel):
        text: str

    found = complete_as(
        Scripted(said('{"text": "hi \\ud83d"}')), request(user("What?"), task="extract"), Note, deadline=1.0
    )
    assert (found.value.text, found.repaired) == ("hi \ufffd", False)


def test_a_reply_that_does_not_fit_is_repaired_once_and_both_are_counted() -> None:
    model = Scripted(said(BAD, notices=("a", "b")), said(GOOD, notices=("b",)))
    found = ask(model)
    assert (found.value.number, found.repaired) == ("INV-7", True)
    assert (found.reply.cost_nanousd, found.reply.usage.input_tokens) == (42, 20)
    assert found.reply.notices == ("a", "b")


def test_the_repair_tells_what_was_wrong_and_is_asked_anew() -> None:
    model = Scripted(said(BAD), said(GOOD))
    ask(model)
    second = model.asked[1]
    assert [each.role for each in second.messages] == ["user", "assistant", "user"]
    assert second.messages[1].text == BAD
    note = second.messages[2].text
    assert "number: String should match pattern" in note
    assert "cents: Input should be greater than or equal to 0" in note
    assert second.fresh


def test_a_validator_of_ones_own_is_heard() -> None:
    model = Scripted(said('{"number": "INV-7", "cents": 13}'), said(GOOD))
    ask(model)
    assert "13 cents are never billed" in model.asked[1].messages[2].text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Here it is.", "not JSON alone"),
        ('{"number": "INV-7", "cents": 1, "cents": 2}', "same key twice"),
        ('{"number": "INV-7", "cents": NaN}', "NaN"),
        ('{"number": "INV-7"}', "cents: Field required"),
    ],
)
def test_a_reply_that_is_no_clean_json_is_repaired(text: str, told: str) -> None:
    model = Scripted(said(text), said(GOOD))
    assert ask(model).repaired
    assert told in model.asked[1].messages[2].text


def test_wrong_twice_is_a_typed_failure() -> None:
    with pytest.raises(MalformedReply, match="Invoice"):
        ask(Scripted(said(BAD), said(BAD)))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"stop": StopReason.REFUSAL}, Refused),
        ({"stop": StopReason.MAX_TOKENS}, MalformedReply),
        ({"stop": StopReason.CONTEXT_OVERFLOW}, ContextOverflow),
        ({"stop": StopReason.PAUSE}, MalformedReply),
    ],
)
def test_a_reply_without_a_value_is_a_typed_failure(fields: dict[str, Any], error: type[PentadError]) -> None:
    with pytest.raises(error):
        ask(Scripted(said(GOOD, **fields)))


def test_an_outage_is_a_typed_failure() -> None:
    class Down:
        def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
            raise ModelUnavailable("no model could be reached")

    with pytest.raises(ModelUnavailable):
        complete_as(Down(), request(user("Which?")), Invoice, deadline=0)


@pytest.mark.parametrize("fields", [{"tools": (ADD,)}, {"output_schema": SCHEMA}])
def test_a_request_has_neither_tools_nor_a_schema_of_its_own(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ask(Scripted(), request(user("Which?"), **fields))


def test_the_schema_is_the_same_text_each_time() -> None:
    assert json.dumps(build_strict_schema(Invoice)) == json.dumps(build_strict_schema(Invoice))


def in_words(model: Scripted, asked: ChatRequest) -> Structured[Invoice]:
    return complete_in_words(model, asked, Invoice, deadline=1.0)


def test_in_words_all_that_stands_before_the_schema_goes_out_as_it_was() -> None:
    model = Scripted(said(GOOD))
    earlier = (user("Hello"), assistant("Good day"))
    asked = request(*earlier, user("Which invoice?"), task="reason", tools=(ADD,), system="You help.")
    assert in_words(model, asked).value.number == "INV-7"
    [sent] = model.asked
    assert sent.messages[:2] == earlier
    assert (sent.tools, sent.system, sent.tool_choice) == (asked.tools, asked.system, asked.tool_choice)
    assert sent.output_schema is None
    words, schema = (block.text for block in sent.messages[2].blocks if isinstance(block, TextBlock))
    assert words == "Which invoice?"
    assert json.loads(schema.removeprefix(IN_WORDS)) == build_strict_schema(Invoice)


@pytest.mark.parametrize("fence", ["```json", "```JSON", "```"])
def test_in_words_json_in_a_code_fence_is_read(fence: str) -> None:
    found = in_words(Scripted(said(f"{fence}\n{GOOD}\n```\n")), request(user("Which?")))
    assert (found.value.cents, found.repaired) == (100, False)


def test_in_words_words_around_the_json_are_repaired() -> None:
    model = Scripted(said(f"Here you are: {GOOD}"), said(GOOD))
    assert in_words(model, request(user("Which?"))).repaired
    assert len(model.asked) == 2


def test_in_words_a_call_of_a_tool_is_no_value() -> None:
    with pytest.raises(MalformedReply):
        in_words(Scripted(said("", stop=StopReason.TOOL_CALLS)), request(user("Which?"), tools=(ADD,)))


def test_in_words_a_request_with_a_schema_is_refused() -> None:
    with pytest.raises(InvalidInput):
        in_words(Scripted(), request(user("Which?"), output_schema=SCHEMA))


def test_what_the_gateway_has_repaired_is_not_repaired_once_more() -> None:
    made = Attempt(
        attempt_id="att_1",
        context=CallContext(tenant_id="acme"),
        provider="anthropic",
        model="claude-haiku-5-5",
        tier="fast",
        link=0,
        number=1,
        outcome=Outcome.MALFORMED,
        started_at=datetime(2026, 11, 22, tzinfo=UTC),
        duration_ms=9,
    )
    model = Scripted(said(BAD, attempts=(made, made.model_copy(update={"outcome": Outcome.OK}))))
    with pytest.raises(MalformedReply, match="repaired once: number: "):
        complete_as(model, request(user("Which invoice?")), Invoice, deadline=100.0)
    assert len(model.asked) == 1
