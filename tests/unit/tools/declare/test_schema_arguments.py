"""Arguments of tools that are known by a JSON Schema only: each fault is told with its place, and without the value."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput
from pentad.tools.declare.declare import Tool
from pentad.tools.declare.schema_arguments import make_schema_model
from pentad.tools.declare.signature import ToolSignature
from pentad.tools.runtime.arguments import validate_arguments

FIELDS = {
    "key": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 20},
    "kind": {"enum": ["a", "b"]},
    "rows": {
        "type": "array",
        "uniqueItems": True,
        "items": {"type": "object", "properties": {"n": {"type": "integer"}}},
    },
}
CLOSED = {"type": "object", "properties": FIELDS, "required": ["key"], "additionalProperties": False}
WORD = "Sesame-open-4711"


def make_tool(schema: dict[str, Any]) -> Tool[Any, Any]:
    def run(**values: Any) -> dict[str, Any]:
        return values

    return Tool(
        run,
        spec=ToolSpec(name="act", description="Act.", input_schema=schema, effects="none"),
        signature=ToolSignature(make_schema_model("act", schema), "context", TypeAdapter(Any), undoable=False),
        undo=None,
        grants=(),
        memory_mb=128,
    )


@pytest.mark.parametrize(
    ("schema", "given", "said"),
    [
        (CLOSED, {}, "$: 'key' is a required property"),
        (CLOSED, {"key": "a", "kye": WORD}, "'kye' was unexpected"),
        (CLOSED, {"key": WORD}, "key: does not fit 'pattern': \"^[a-z]+$\""),
        (CLOSED, {"key": [WORD]}, "key: does not fit 'type': \"string\""),
        (CLOSED, {"key": "a", "kind": WORD}, 'kind: does not fit \'enum\': ["a", "b"]'),
        (CLOSED, {"key": "a", "rows": [{"n": 1}, {"n": WORD}]}, "rows[1].n: does not fit 'type': \"integer\""),
        (CLOSED, {"key": "a", "rows": [{"m": WORD}, {"m": WORD}]}, "rows: does not fit 'uniqueItems': true"),
        ({"type": "object", "required": ["key"]}, {"other": WORD}, "$: 'key' is a required property"),
    ],
)
def test_a_fault_is_told_with_its_place_and_without_its_value(
    schema: dict[str, Any], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        validate_arguments(make_tool(schema), given)
    assert said in refused.value.message
    assert WORD not in refused.value.message


def test_what_is_told_is_bounded() -> None:
    schema = {"type": "object", "properties": {f"p{number}": {"enum": ["x" * 999]} for number in range(9)}}
    with pytest.raises(InvalidInput) as refused:
        validate_arguments(make_tool(schema), {f"p{number}": 1 for number in range(9)})
    assert refused.value.message.count("does not fit") == 5 and len(refused.value.message) < 2_000


def test_names_that_python_and_pydantic_use_are_names_of_arguments_like_others() -> None:
    given = {"self": 1, "cls": 2, "model_config": 3, "values": 4, "__class__": 5, "_x": 6}
    assert validate_arguments(make_tool({"type": "object"}), given) == given
