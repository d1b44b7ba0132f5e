"""Values that the simulator fills into a schema."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from twin.simulator.rules.arguments.structured import Filler


@pytest.mark.parametrize("name", ["score", "relevance_score"])
def test_a_score_comes_from_no_number_of_the_text(name: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "number"}}, "required": [name]}
    assert Filler("There are 3 of them.", 0.7).fill(schema) == {name: 0.7}


@pytest.mark.parametrize("name", ["confidence", "probability", "certainty", "likelihood_score"])
def test_rules_have_no_confidence_whatever_they_found(name: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "number"}}, "required": [name]}
    assert Filler("There are 3 of them.", 0.95).fill(schema) == {name: 0.5}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^[A-Z]{2}-\\d{4,6}$"},
        {"type": "string", "pattern": "^(red|green)\\s\\w+!?$"},
        {"type": "string", "pattern": "^(a+)-\\1$"},
        {"type": "string", "pattern": "[^a0A]x"},
        {"type": "string", "pattern": "^\\S{3}\\D\\W$"},
        {"type": "integer", "minimum": 10, "maximum": 20},
        {"type": "integer", "exclusiveMinimum": 3, "multipleOf": 5},
        {"type": "number", "maximum": -1},
        {"type": "string", "minLength": 4, "maxLength": 6},
    ],
)
def test_a_schema_with_bounds_and_patterns_is_met(schema: dict[str, Any]) -> None:
    whole = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    assert Draft202012Validator(whole).is_valid(Filler("There are 3 of them.").fill(whole))
