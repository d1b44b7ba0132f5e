"""What @tool makes of a function, and what it refuses, in words that say how to put it right."""

import inspect
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
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
    assert [(grant.resource, grant.keys) for grant in sample.grants] == [("records", "NOTE")]
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


def yielding(text: str) -> Iterator[str]:
    """Doc."""
    yield text


def unfit(count: Annotated[int, Field(max_length=3)]) -> str:
    """Doc."""
    return ""


def unfit_within(rows: list[Annotated[str, Field(ge=3)] | None]) -> str:
    """Doc."""
    return ""


def looking_ahead(text: Annotated[str, Field(pattern="(?=x)")]) -> str:
    """Doc."""
    return text


async def waiting_undo(data: dict[str, Any], context: ToolContext) -> None:
    """Would never run."""


def yielding_undo(data: dict[str, Any], context: ToolContext) -> Iterator[None]:
    """Would never run."""
    yield


def Upper() -> str:
    """Doc."""
    return ""


def contextless(text: str, context) -> str:  # type: ignore[no-untyped-def]
    """Doc."""
    return text


def optional_context(text: str, context: ToolContext | None = None) -> str:
    """Doc."""
    return text


def listed_context(text: str, contexts: list[ToolContext]) -> str:
    """Doc."""
    return text


def unresolved(text: str, context: "Undefined") -> str:  # type: ignore[name-defined]  # noqa: F821
    """Doc."""
    return text


NOTES = Grant("records", "readwrite", keys="NOTE")


def one_parameter(data: dict[str, Any]) -> None:
    """Not an undo."""


@pytest.mark.parametrize(
    ("function", "options", "says"),
    [
        (undocumented, {}, "no docstring"),
        (unannotated, {}, "'text' has no annotation"),
        (resultless, {}, "the result has no annotation"),
        (starred, {}, "name each parameter"),
        (recursive, {}, "refers to itself"),
        (schemaless, {}, "schema"),
        (contexts, {}, "two parameters take the ToolContext"),
        (waiting, {}, "async def and yield are not run"),
        (yielding, {}, "async def and yield are not run"),
        (unfit, {}, "'count' has the bound maxLength of Field(), which does not fit its type integer"),
        (unfit_within, {}, "'rows' has the bound ge of Field(), which does not fit its type string"),
        (looking_ahead, {}, 'Field "text": regex parse error'),
        (Upper, {}, "name is not valid"),
        (plain, {"effects": "some"}, "effects='some' is not known"),
        (plain, {"approval": "sometimes"}, "use one of never, always"),
        (plain, {"timeout_seconds": 901}, "timeout_seconds is not valid"),
        (plain, {"memory_mb": 64}, "memory_mb=64"),
        (plain, {"safe_output": "link"}, "safe_output must be a list, got 'link'"),
        (plain, {"safe_output": [""]}, "safe_output holds"),
        (plain, {"safe_output": [3]}, "safe_output holds"),
        (plain, {"parallel": "no"}, "parallel='no' is neither True nor False. write parallel=False"),
        (plain, {"per": "text"}, "per='text' needs parallel=False. add parallel=False"),
        (plain, {"parallel": False, "per": "words"}, "per='words' is not a parameter of the tool, which has 'text'"),
        (plain, {"parallel": False, "per": 3}, "per=3 is not a parameter of the tool"),
        (plain, {"permissions": ["dynamodb:*"]}, "permissions holds"),
        (plain, {"effects": "internal", "undo": take_back}, "does not return Undoable"),
        (undoable, {"effects": "internal"}, "has no undo"),
        (undoable, {"undo": take_back}, "effects='none'"),
        (undoable, {"effects": "internal", "undo": context_for}, "same module"),
        (undoable, {"effects": "internal", "undo": waiting_undo}, "async def and yield are not run"),
        (undoable, {"effects": "internal", "undo": yielding_undo}, "async def and yield are not run"),
        (undoable, {"effects": "internal", "undo": one_parameter}, "takes the undo data and a ToolContext"),
        (undoable, {"effects": "internal", "undo": take_back, "undo_kind": "maybe"}, "use one of reverse, compensate"),
        (plain, {"effects": "internal", "undo_kind": "compensate"}, "needs an undo"),
        (contextless, {}, "annotate it: context: ToolContext"),
        (optional_context, {}, "annotate it: context: ToolContext; every call gets one"),
        (listed_context, {}, "annotate it: contexts: ToolContext"),
        (unresolved, {}, "an annotation can't be resolved"),
        (plain, {"permissions": [NOTES]}, "effects='none' but a grant to write records of 'NOTE'"),
        (plain, {"permissions": [Grant("records", "write", keys="NOTE")]}, 'say effects="internal", or write Grant('),
        (plain, {"permissions": NOTES}, "must be a list, got"),
        (plain, {"permissions": "records"}, "must be a list, got"),
        (plain, {"permissions": None}, "must be a list, got"),
        (plain, {"effect": "none"}, "@tool has no option 'effect'. write effects"),
        (plain, {"zzz": 1}, "@tool has no option 'zzz'. use one of effects, permissions"),
    ],
)
def test_a_wrong_declaration_is_refused_with_what_and_fix(
    function: Callable[..., Any], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        tool(**{"effects": "none", **options})(function)
    assert says in f"{caught.value.message}. {caught.value.fix}"
    assert re.match(r"/.+\.py:\d+ \w+\(\): ", caught.value.message)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("given", "named", "said", "fix"),
    [
        ((), {}, "a grant lacks resource and access and keys", "add resource=, access=, keys="),
        (("records", "readwrite"), {}, "a grant lacks keys", "add keys="),
        (("records",), {"keys": "NOTE"}, "a grant lacks access", "add access="),
        (("records", "readwrite"), {"kind": "GUEST"}, "a grant has no 'kind'", "write keys="),
        (("records",), {"kind": "GUEST"}, "a grant has no 'kind'", "use resource, access, keys"),
        (("records", "read", "NOTE", "LOG"), {}, "a grant has 3 values, got 4", "use resource, access, keys"),
        (("records", "read", "NOTE"), {"keys": "LOG"}, "a grant names 'keys' twice", "give keys once"),
    ],
)
def test_a_value_that_a_grant_lacks_or_has_not_is_named(
    given: tuple[Any, ...], named: dict[str, Any], said: str, fix: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"test_declare\.py:\d+: {said}") as caught:
        Grant(*given, **named)
    assert caught.value.fix == f'{fix}, as in Grant("records", "readwrite", keys="NOTE")'


def test_a_grant_is_copied_and_compared_as_a_value() -> None:
    assert pickle.loads(pickle.dumps(NOTES)) == NOTES == replace(NOTES, keys="NOTE")  # noqa: S301
    assert [*inspect.signature(Grant).parameters] == ["resource", "access", "keys"]


def test_effects_have_to_be_said() -> None:
    with pytest.raises(ConfigurationError, match=r"plain\(\): effects is missing") as caught:
        tool()(plain)  # type: ignore[call-overload]
    assert "none, internal, external" in (caught.value.fix or "")


@pytest.mark.parametrize("given", [plain, Row, print])
def test_a_tool_without_options_is_told_what_to_write(given: object) -> None:
    with pytest.raises(ConfigurationError, match=r"test_declare\.py:\d+ .*@tool needs its options") as caught:
        tool(given)
    assert '@tool(effects="none")' in (caught.value.fix or "")


def test_an_option_without_a_name_is_told_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"test_declare\.py:\d+: @tool takes named options only, got 'none'"):
        tool("none")


def test_a_class_is_no_tool_and_is_told_with_the_line() -> None:
    with pytest.raises(ConfigurationError, match=r"test_declare\.py:\d+ Row: a tool is a plain function"):
        tool(effects="none")(Row)


def test_a_grant_to_read_goes_with_no_effects_and_one_to_write_with_effects() -> None:
    reads = Grant("records", "read", keys="NOTE")
    assert tool(effects="none", permissions=(reads,))(plain).grants == (reads,)
    assert tool(effects="internal", permissions=[NOTES])(plain).grants == (NOTES,)


def test_an_annotated_context_is_a_context() -> None:
    @tool(effects="none")
    def described(text: str, context: Annotated[ToolContext, "whose"]) -> str:
        """Doc."""
        return text

    assert list(described.spec.input_schema["properties"]) == ["text"] and described.signature.context == "context"


@pytest.mark.parametrize("grant", [("tables", "read", "NOTE"), ("records", "all", "NOTE"), ("records", "read", "*")])
def test_a_grant_is_of_known_form_and_never_a_wildcard(grant: tuple[Any, Any, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"test_declare\.py:\d+: a grant ") as caught:
        Grant(*grant)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("function", "options", "kind"),
    [
        (plain, {"effects": "none"}, "none"),
        (plain, {"effects": "external"}, "irreversible"),
        (undoable, {"effects": "external", "undo": take_back}, "reversible"),
        (undoable, {"effects": "external", "undo": take_back, "undo_kind": "compensate"}, "compensatable"),
    ],
)
def test_what_can_be_done_about_an_effect_comes_from_the_declaration(
    function: Callable[..., Any], options: dict[str, Any], kind: str
) -> None:
    assert tool(**options)(function).spec.undo_kind == kind
