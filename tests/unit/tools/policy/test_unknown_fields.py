"""Fields that a closed schema does not have are found at every depth; open and unknown ones are let be."""

from typing import Any

import pytest

from pentad.tools.policy.unknown_fields import find_unknown_fields

CLOSED: dict[str, Any] = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
BOTH: dict[str, Any] = {"type": "object", "properties": {"a": {}, "b": {}}, "additionalProperties": False}
NUMBERED: dict[str, Any] = {"type": "object", "patternProperties": {"^x": CLOSED}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "value", "places"),
    [
        (CLOSED, {"a": 1}, []),
        (CLOSED, {"a": 1, "b": 2, "c": 3}, [("b",), ("c",)]),
        ({"type": "object", "properties": {"a": CLOSED}}, {"a": {"b": 1}, "z": 2}, [("a", "b")]),
        ({"type": "array", "items": CLOSED}, [{"a": 1}, {"b": 1}], [(1, "b")]),
        ({"prefixItems": [CLOSED], "items": BOTH}, [{"b": 1}, {"b": 1}, {"c": 1}], [(0, "b"), (2, "c")]),
        ({"type": "object", "additionalProperties": CLOSED}, {"k": {"b": 1}}, [("k", "b")]),
        (NUMBERED, {"x1": {"a": 1}, "x2": {"b": 1}, "y": {}}, [("x2", "b"), ("y",)]),
        ({"anyOf": [CLOSED, BOTH, {"type": "null"}]}, {"b": 1}, []),
        ({"oneOf": [CLOSED, BOTH]}, {"b": 1, "c": 1}, [("c",)]),
        ({"anyOf": [CLOSED, {"type": "array", "items": CLOSED}]}, [{"b": 1}], [(0, "b")]),
        ({"allOf": [CLOSED]}, {"b": 1}, [("b",)]),
        ({"type": "object"}, {"b": {"c": 1}}, []),
        (True, {"b": 1}, []),
    ],
)
def test_what_a_schema_does_not_have_is_found(schema: Any, value: Any, places: list[Any]) -> None:
    assert [place for place, _ in find_unknown_fields(schema, value)] == places
