"""What a human is shown of a call that asks is what runs: each value that is bound stands in the final arguments."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter
from typing_extensions import TypedDict

from pentad.domain.errors import ConfigurationError
from pentad.tools.declare import tool
from pentad.tools.declare.declare import Tool
from pentad.tools.policy.final_arguments import canonicalise_arguments, keep_defaults
from pentad.tools.runtime.arguments import validate_arguments


class Line(BaseModel):
    price: float = 7.5
    tags: list[str] = Field(default_factory=list)
    note: str | None = None


class Order(BaseModel):
    lines: list[Line] = []
    first: Line | None = None
    by_name: dict[str, Line] = {}
    currency: Literal["EUR", "USD"] = "EUR"


@dataclass
class Box:
    a: int
    b: str = "boss@x.org"
    c: list[str] = field(default_factory=lambda: ["boss@x.org"])


@dataclass
class Parcel:
    a: int
    b: str = "boss@x.org"


class Pair(NamedTuple):
    a: int
    b: str = "boss@x.org"
    c: str | None = None
    d: int = 4


class Row(TypedDict):
    a: int
    b: NotRequired[str]


class Card(BaseModel):
    kind: Literal["card"]
    number: str = "0000"


class Bank(BaseModel):
    kind: Literal["bank"]
    iban: str = "DE00"


class Circle(BaseModel):
    r: float
    unit: str = "cm"


class Square(BaseModel):
    model_config = ConfigDict(extra="forbid")
    side: float
    unit: str = "m"


class Words(BaseModel):
    x: str
    language: str = "en"


class Number(BaseModel):
    x: int
    base: int = 10


class Size(Enum):
    SMALL = 1
    LARGE = "x"


def declare(annotation: Any, default: Any = ...) -> Tool[Any, Any]:
    def do(x: Any = None) -> str:
        """Do it."""
        return ""

    do.__annotations__ = {"x": annotation, "return": str}
    do.__defaults__ = None if default is ... else (default,)
    return tool(effects="external", approval="always")(do)


CASES: list[tuple[Any, Any, Any]] = [
    (Line, ..., {}),
    (Line, Line(price=3, tags=["q"]), None),
    (Line | None, None, {}),
    (Line | None, None, None),
    (list[Line], ..., [{}, {"price": 1.0}]),
    (dict[str, Line], ..., {"k": {}, "l": {"tags": ["t"]}}),
    (dict[Annotated[str, Field(pattern="^k")], Line], ..., {"k": {}}),
    (dict[str, list[Line | None]], ..., {"k": [{}, None]}),
    (tuple[Line, Line], ..., [{}, {}]),
    (tuple[Line, ...], ..., [{}, {}]),
    (list[dict[str, Line]] | None, None, [{"k": {}}]),
    (list[Line] | dict[str, Line], ..., {"k": {}}),
    (list[Line] | dict[str, Line], ..., [{}]),
    (list[Words] | list[Number], ..., [{"x": 5}]),
    (Order, ..., {}),
    (Order, ..., {"lines": [{}], "first": {}, "by_name": {"k": {}}}),
    (Order | None, Order(), None),
    (dict[str, Order], ..., {"o": {"lines": [{}], "first": {}}}),
    (Parcel, ..., {"a": 1}),
    (Parcel | None, None, {"a": 1}),
    (Pair, ..., [1]),
    (Pair, ..., [1, "q"]),
    (Row, ..., {"a": 1}),
    (Card | Bank, ..., {"kind": "card"}),
    (Card | Bank, ..., {"kind": "bank"}),
    (Annotated[Card | Bank, Field(discriminator="kind")], ..., {"kind": "bank"}),
    (Circle | Square, ..., {"r": 1.0}),
    (Circle | Square, ..., {"side": 1.0}),
    (Words | Number, ..., {"x": 5}),
    (Words | Number, ..., {"x": "five"}),
    (Number | Words | None, None, {"x": "five"}),
    (list[Number | Words], ..., [{"x": 1}, {"x": "one"}]),
    (Decimal, Decimal("10.50"), None),
    (datetime, datetime(2026, 1, 1, tzinfo=UTC), None),
    (timedelta, timedelta(days=2), None),
    (time, time(1, 2), None),
    (bytes, b"abc", None),
    (set[int], {3, 1}, None),
    (frozenset[str], frozenset({"a"}), None),
    (tuple[int, str], (1, "a"), None),
    (Size, Size.SMALL, None),
    (Literal["a", "b"], "a", None),
    (float, 5, None),
    (Annotated[list[str], Field(default_factory=list)], ..., None),
]


def list_leaves(value: Any) -> list[str]:
    """Return every value of JSON but nulls, as text."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in list_leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in list_leaves(part)]
    return [] if value is None else [json.dumps(float(value) if isinstance(value, int) else value)]


@pytest.mark.parametrize(("annotation", "default", "given"), CASES)
def test_what_runs_is_what_is_shown(annotation: Any, default: Any, given: Any) -> None:
    declared = declare(annotation, default)
    raw = {} if given is None else {"x": given}
    final = canonicalise_arguments(declared.spec, raw)
    bound = validate_arguments(declared, final)
    assert bound == validate_arguments(declared, raw)
    runs = TypeAdapter(annotation).dump_python(bound["x"], mode="json", warnings=False)
    assert sorted(list_leaves(runs)) == sorted(list_leaves(final))
    assert canonicalise_arguments(declared.spec, final) == final
    kept = declared.spec.model_copy(update={"input_schema": keep_defaults(declared.spec.input_schema)})
    assert canonicalise_arguments(kept, raw) == final


def test_a_default_is_of_the_pattern_that_a_name_has() -> None:
    patterns = {
        "^x": {"type": "object", "properties": {"n": {"default": 1}}},
        "^y": {"type": "object", "properties": {"n": {"default": 2}}},
    }
    spec = declare(Line).spec.model_copy(
        update={"input_schema": {"type": "object", "patternProperties": patterns, "additionalProperties": False}}
    )
    final = {"x1": {"n": 1}, "y1": {"n": 2}, "z": {}}
    assert canonicalise_arguments(spec, {"x1": {}, "y1": {}, "z": {}}) == final


def test_what_is_found_below_many_levels_is_filled_in() -> None:
    annotation: Any = Line
    given: Any = {}
    for _ in range(12):
        annotation, given = list[annotation], [given]
    declared = declare(annotation)
    final = canonicalise_arguments(declared.spec, {"x": given})
    assert "7.5" in json.dumps(final)


class Fresh(BaseModel):
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Copied(BaseModel):
    to: str
    reply_to: str = Field(default_factory=lambda given: given["to"])


@pytest.mark.parametrize(
    ("annotation", "default", "name"),
    [
        (Annotated[list[str], Field(default_factory=lambda: ["boss@x.org"])], ..., "x"),
        (Fresh, ..., "at"),
        (Fresh | None, None, "at"),
        (dict[str, Fresh], ..., "at"),
        (list[tuple[int, Fresh]], ..., "at"),
        (Copied, ..., "reply_to"),
        (Box, ..., "c"),
        (float, float("nan"), "x"),
        (float, float("inf"), "x"),
        (list[float], [float("-inf")], "x"),
        (Any, object(), "x"),
        (bytes, b"\xff\xfe", "x"),
        (SecretStr, SecretStr("hunter2"), "x"),
        (list[str], ("a",), "x"),
        (Literal["a"], "b", "x"),
        (int, "5", "x"),
    ],
)
def test_a_default_that_can_not_be_shown_is_refused(annotation: Any, default: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the default of '{name}'") as caught:
        declare(annotation, default)
    assert "hunter2" not in str(caught.value)
