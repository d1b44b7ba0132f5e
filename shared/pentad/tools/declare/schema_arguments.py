"""Arguments of tools that are known by a JSON Schema only: those of others' APIs, servers and frameworks."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, create_model, model_validator

from pentad.domain.errors import InvalidInput
from pentad.domain.schemas import find_violations

if TYPE_CHECKING:
    from jsonschema import ValidationError

_MOST_PROBLEMS = 5
_MOST_OF_A_PROBLEM = 200
"""Characters of what is told of one."""
_OF_NAMES = ("required", "additionalProperties", "unevaluatedProperties", "dependentRequired")
"""Rules about which fields there are."""


def make_schema_model(name: str, schema: Mapping[str, Any]) -> type[BaseModel]:
    """Return a model that takes exactly what a JSON Schema takes.

    Args:
        name: the tool's name, for messages.
        schema: the JSON Schema of its arguments.
    """

    def check(cls: type[BaseModel], values: Any) -> Any:
        try:
            errors = find_violations(schema, values)
        except InvalidInput as error:
            raise ValueError(error.message) from error
        if errors:
            raise ValueError("; ".join(_describe(error) for error in errors[:_MOST_PROBLEMS]))
        return values

    return create_model(
        f"{name}_arguments",
        __config__=ConfigDict(extra="allow", frozen=True),
        __validators__={"check": model_validator(mode="before")(check)},  # type: ignore[dict-item]
    )


def _describe(error: "ValidationError") -> str:
    """Return the place of a fault, and what the schema asks for there.

    jsonschema's own words repeat the value, but for a rule about fields: those have names only.
    """
    place = error.json_path.removeprefix("$.")
    if error.validator in _OF_NAMES:
        return f"{place}: {error.message[:_MOST_OF_A_PROBLEM]}"
    wanted = json.dumps(error.validator_value, ensure_ascii=False, default=str)[:_MOST_OF_A_PROBLEM]
    return f"{place}: does not fit '{error.validator}': {wanted}"
