"""What @tool makes of a function, and what it refuses, in words that say how to put it right."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.declare import Grant, ToolContext, Undoable, tool
from tests.unit.tools.worlds import context_for


class Colour(Enum):
    RED = "red"


class Row(BaseModel):
    title: str
    amount: int = 1


class Node(BaseModel):
    children: list["Node"] = []


def take_back(data: dict[str, Any], context: ToolContext) -> None:
    """Undo."""


@tool(
    effects="external",
    permissions=[Grant("records", "readwrite", keys="NOTE")],
    approval="always",
    undo=take_back,
    idempotent=True,
    timeout_seconds=12,
    memory_mb=512,
    trusted_output=False,
)
def sample(
    title: Annotated[str, Field(description="the title", max_length=9)],
    rows: list[Row],
    schema: Colour,
    context: ToolContext,
    copy: Literal["a", "b"] = "a",
) -> Undoable[str]:
    """Do a sample thing.

    With a second paragraph.
    """
    return Undoable(f"{title} {len(rows)}", undo={})


def test_the_spec_says_what_was_declared() -> None:
    spec = sample.spec
    assert (spec.name, spec.effects, spec.approval, spec.idempotent) == ("sample", "external", "always", True)
    assert (spec.reversible, spec.timeout_seconds, spec.trusted_output) == (True, 12, False)
    assert spec.description == "Do a sample thing.\n\nWith a second paragraph."


def test_what_infra_needs_is_on_the_tool() -> None:
    assert [grant.leading_key for grant in sample.grants] == ["T#*#NOTE"]
    assert (sample.memory_mb, sample.timeout_seconds) == (512, 12)


def test_the_schema_is_closed_without_references_titles_or_the_context() -> None:
    schema = sample.spec.input_schema
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == ["title", "rows", "schema", "copy"]
    assert schema["required"] == ["title", "rows", "schema"]
    assert schema["properties"]["title"] == {"description": "the title", "maxLength": 9, "type": "string"}
    row = schema["properties"]["rows"]["items"]
    assert row["properties"]["title"] == {"type": "string"}
    assert row["additionalProperties"] is False
    assert "$ref" not in str(schema) and "$defs" not in str(schema)


def test_a_function_without_parameters_has_an_empty_schema() -> None:
    @tool(effects="none")
    def nothing() -> str:
        """Do nothing."""
        return ""

    assert nothing.spec.input_schema == {"type": "object", "properties": {}, "additionalProperties": False}


def test_calling_a_tool_calls_the_function() -> None:
    assert sample("x", [], Colour.RED, context_for()).result == "x 0"
    assert sample.name == "sample"


def undocumented() -> str:
    return ""


def unannotated(text) -> str:  # type: ignore[no-untyped-def]
    """Doc."""
    return str(text)


def resultless(text: str):  # type: ignore[no-untyped-def]
    """Doc."""


def starred(*texts: str) -> str:
    """Doc."""
    return ""


def recursive(node: Node) -> str:
    """Doc."""
    return ""


def schemaless(call: Callable[[], int]) -> str:
    """Doc."""
    return ""


def contexts(one: ToolContext, two: ToolContext) -> str:
    """Doc."""
    return ""


def plain(text: str) -> str:
    """Doc."""
    return text


def undoable(text: str) -> Undoable[str]:
    """Doc."""
    return Undoable(text, undo={})


async def waiting(text: str) -> str:
    """Doc."""
    return text


def Upper() -> str:
    """Doc."""
    return ""


def one_parameter(data: dict[str, Any]) -> None:
    """Not an undo."""


@pytest.mark.parametrize(
    ("function", "options", "says"),
    [
        (undocumented, {}, "no docstring"),
        (unannotated, {}, "text has no annotation"),
        (resultless, {}, "the result has no annotation"),
        (starred, {}, "name each parameter"),
        (recursive, {}, "refers to itself"),
        (schemaless, {}, "schema"),
        (contexts, {}, "two parameters take the ToolContext"),
        (waiting, {}, "async def is not run"),
        (Upper, {}, "name is not valid"),
        (plain, {"effects": "some"}, "effects='some' is not known"),
        (plain, {"approval": "sometimes"}, "use one of never, always"),
        (plain, {"timeout_seconds": 901}, "timeout_seconds is not valid"),
        (plain, {"memory_mb": 64}, "memory_mb=64"),
        (plain, {"permissions": ["dynamodb:*"]}, "permissions holds"),
        (plain, {"effects": "internal", "undo": take_back}, "does not return Undoable"),
        (undoable, {"effects": "internal"}, "has no undo"),
        (undoable, {"undo": take_back}, "effects='none'"),
        (undoable, {"effects": "internal", "undo": context_for}, "same module"),
        (undoable, {"effects": "internal", "undo": one_parameter}, "takes the undo data and a ToolContext"),
        (plain, {"rate_limit": "30/minute"}, "rate_limit='30/minute' is not available yet"),
        (plain, {"secrets": ["crm-api"]}, "secrets=['crm-api'] is not available yet"),
    ],
)
def test_a_wrong_declaration_is_refused_with_what_and_fix(
    function: Callable[..., Any], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        tool(**{"effects": "none", **options})(function)
    assert says in f"{caught.value.message} {caught.value.fix}"
    assert caught.value.fix


@pytest.mark.parametrize("grant", [("tables", "read", "NOTE"), ("records", "all", "NOTE"), ("records", "read", "*")])
def test_a_grant_is_of_known_form_and_never_a_wildcard(grant: tuple[Any, Any, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Grant(*grant)
