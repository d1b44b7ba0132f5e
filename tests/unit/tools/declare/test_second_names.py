"""A field that a call may give by a name that the schema does not show is refused where the tool is declared."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.tools.declare import Ask, over, tool
from pentad.tools.declare.second_names import check_names
from pentad.tools.runtime.arguments import validate_arguments


class ByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    total: float = Field(10, alias="amount")


class ByNameToo(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)
    total: float = Field(10, alias="amount")


class ByNameOnly(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=False)
    total: float = Field(10, alias="amount")


class Chosen(BaseModel):
    total: float = Field(10, validation_alias=AliasChoices("amount", "amt"))


class Deep(BaseModel):
    total: float = Field(10, validation_alias=AliasPath("amounts", 0))


@dataclass
class Plain:
    total: Annotated[float, Field(validation_alias=AliasChoices("amount", "amt"))] = 10


class Typed(TypedDict):
    total: Annotated[float, Field(validation_alias=AliasChoices("amount", "amt"))]


class Around(BaseModel):
    parts: dict[str, list[Chosen | None]] = {}


class Aliased(BaseModel):
    total: float = Field(10, alias="amount")
    note: str = Field("", validation_alias=AliasChoices("note"))


def declare(annotation: Any) -> Any:
    def pay(order: Any) -> str:
        """Pay."""
        return "paid"

    pay.__annotations__ = {"order": annotation, "return": str}
    return tool(effects="external", approval="always")(pay)


@pytest.mark.parametrize("annotation", [ByName, ByNameToo, ByNameOnly, Chosen, Deep, Plain, Typed, Around])
def test_a_second_name_is_refused(annotation: Any) -> None:
    for one in (annotation, annotation | None, list[annotation]):
        with pytest.raises(ConfigurationError, match="'total' is taken by another name") as caught:
            declare(one)
        assert "one name" in (caught.value.fix or "")


def test_an_alias_is_the_name_where_it_is_the_only_one() -> None:
    declared = declare(Aliased)
    assert set(declared.spec.input_schema["properties"]["order"]["properties"]) == {"amount", "note"}
    assert validate_arguments(declared, {"order": {"amount": 5}})["order"].total == 5


def test_of_an_outer_model_names_may_be_left_to_what_fills_it() -> None:
    check_names(Chosen, below=True)
    with pytest.raises(ConfigurationError):
        check_names(Around, below=True)


class Lines(BaseModel):
    amount: float = 10


class Other(BaseModel):
    code: str
    amt: int = 1


@tool(effects="external", approval=[Ask(when=over("order.amount", 50))])
def pay(order: Lines | Other, more: list[Lines] = []) -> str:  # noqa: B006 - a tool's default is data
    """Pay."""
    return "paid"


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"order": {"amount": 1, "amt": 5000}}, "order.amt"),
        ({"order": {"amount": 1}, "more": [{"amount": 1}, {"Amount": 2}]}, "more.1.Amount"),
        ({"order": {"amount": 1, "a key": 2}}, r"order.\[...\]"),
    ],
)
def test_a_field_that_a_nested_model_would_leave_out_is_refused(given: Any, place: str) -> None:
    with pytest.raises(InvalidInput, match=f"- {place}: no such field. Fix: leave it out; the fields are: amount"):
        validate_arguments(pay, given)


def test_a_field_that_one_of_several_models_has_is_taken() -> None:
    assert validate_arguments(pay, {"order": {"code": "x", "amt": 5}})["order"] == Other(code="x", amt=5)
