"""Arguments of tools that are known by a JSON Schema only."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model, model_validator

from pentad.domain.errors import InvalidInput
from pentad.domain.schemas import find_violations

_MAX_PROBLEMS = 5


def make_schema_model(name: str, schema: Mapping[str, Any]) -> type[BaseModel]:
    """Return a model that takes exactly what a JSON Schema takes, for tools whose arguments are known as one only.

    Args:
        name: the tool's name, for messages.
        schema: the JSON Schema of its arguments.
    """

    def check(cls: type[BaseModel], values: Any) -> Any:
        try:
            errors = find_violations(schema, values)
        except InvalidInput as error:
            raise ValueError(error.message) from error
        found = [f"{error.json_path.removeprefix('$.')}: {error.message}" for error in errors]
        if found:
            raise ValueError("; ".join(found[:_MAX_PROBLEMS]))
        return values

    return create_model(
        f"{name}_arguments",
        __config__=ConfigDict(extra="allow", frozen=True),
        __validators__={"check": model_validator(mode="before")(check)},  # type: ignore[dict-item]
    )
