"""Wrong arguments are told with place and rule, and no value of them is repeated, whatever pydantic would say."""

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import UUID4, AfterValidator, BaseModel, Field, HttpUrl, Json, NaiveDatetime

from pentad.domain.errors import InvalidInput
from pentad.tools.declare import tool
from pentad.tools.runtime.arguments import validate_arguments

VALUE = "hunter2-geheim"


def refuse_loudly(text: str) -> str:
    raise ValueError(f"{text!r} is no number of an account, nor is {text.upper()[:0]}{text[:7]}")


class Card(BaseModel):
    kind: Literal["card"]
    number: int


class Bank(BaseModel):
    kind: Literal["bank"]
    iban: Annotated[str, AfterValidator(refuse_loudly)]


class Colour(Enum):
    RED = "red"


@tool(effects="none")
def take(
    paid: Annotated[Card | Bank | None, Field(discriminator="kind")] = None,
    counts: dict[int, str] = {},  # noqa: B006
    cards: dict[str, Card] = {},  # noqa: B006
    word: Literal["q"] = "q",
    colour: Colour = Colour.RED,
    at: NaiveDatetime | None = None,
    url: HttpUrl | None = None,
    uid: UUID4 | None = None,
    pattern: Annotated[str, Field(pattern="^a$")] = "a",
    text: Json[int] | None = None,
    account: Annotated[str, AfterValidator(refuse_loudly)] | None = None,
    number: int = 1,
    either: int | list[int] = 1,
) -> str:
    """Take all of it."""
    return ""


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"paid": {"kind": VALUE, "number": 1}}, "paid"),
        ({"paid": {"kind": "bank", "iban": VALUE}}, "paid.bank.iban"),
        ({"paid": VALUE}, "paid"),
        ({"counts": {VALUE: "x"}}, "counts.[...].[key]"),
        ({"cards": {VALUE: {"kind": "card", "number": "x"}}}, "cards.[...].number"),
        ({"cards": {"geheim": {"kind": "card", "number": "x"}}}, "cards.[...].number"),
        ({"word": VALUE}, "word"),
        ({"colour": VALUE}, "colour"),
        ({"at": VALUE}, "at"),
        ({"url": VALUE}, "url"),
        ({"uid": VALUE}, "uid"),
        ({"pattern": VALUE}, "pattern"),
        ({"text": VALUE}, "text"),
        ({"account": VALUE}, "account"),
        ({"number": VALUE}, "number"),
        ({"either": VALUE}, "either.int"),
        ({VALUE: 1}, "[...]"),
        ({"wurd": VALUE}, "wurd"),
        ({"number": float("nan"), "word": VALUE}, "arguments"),
    ],
)
def test_no_value_is_told_again(arguments: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_arguments(take, arguments)
    told = f"{caught.value.message} {caught.value.field} {caught.value.fix}"
    assert VALUE not in told and "geheim" not in told
    assert f"- {place}: " in told or place == "arguments"


def test_what_is_wrong_is_still_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_arguments(take, {"paid": {"kind": "gold"}, "wurd": "x", "number": "many", "word": "p"})
    told = caught.value.message
    assert "- paid: 'kind' should be one of 'card', 'bank'" in told
    assert "- wurd: no such parameter" in told
    assert "- number: Input should be a valid integer" in told
    assert "- word: Input should be 'q'" in told
