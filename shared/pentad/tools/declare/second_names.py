"""Refuse fields that a call may give by a name that the schema does not show: a rule would look at the other one."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from pentad.domain.errors import ConfigurationError

_NO_SCHEMA: Final = frozenset({"cls", "default", "expected", "members", "metadata", "serialization"})
"""Parts of pydantic's core schema that hold a tool author's own values."""
_FIELDS: Final = frozenset({"model-field", "dataclass-field", "typed-dict-field"})
_OWNERS: Final = frozenset({"model", "dataclass", "typed-dict"})


def check_names(model: type[BaseModel], *, below: bool = False) -> None:
    """Check that each field is taken by one name, the one that the JSON Schema shows.

    Args:
        model: of a tool's arguments; its JSON Schema was made before, so that it is complete.
        below: only of the models within it, where what fills the outer one takes the names that are shown.

    Raises:
        ConfigurationError: a field has several names; it names it.
    """
    for name, field, config in _iter_fields(model.__pydantic_core_schema__, {}, -1 if below else 0, set()):
        if _has_second_name(name, field, config):
            raise ConfigurationError(
                f"the field '{name}' is taken by another name than the one that the schema shows: a rule of approval "
                "would not see it",
                field="parameters",
                fix="give the field one name: alias='...', without populate_by_name, AliasChoices and AliasPath",
            )


def _has_second_name(name: str, field: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    alias = field.get("validation_alias")
    if alias is None or alias in (name, [name], [[name]]):
        return False
    by_name = config.get("validate_by_name") or config.get("populate_by_name")
    return bool(not isinstance(alias, str) or by_name or config.get("validate_by_alias") is False)


def _iter_fields(
    schema: Any, config: Mapping[str, Any], depth: int, seen: set[int]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the fields of a core schema at every depth: name, field, and the configuration of the model around it."""
    if isinstance(schema, list | tuple):
        for part in schema:
            yield from _iter_fields(part, config, depth, seen)
    if not isinstance(schema, Mapping) or id(schema) in seen:
        return
    seen.add(id(schema))
    if schema.get("type") in _OWNERS:
        config, depth = schema.get("config") or {}, depth + 1
    for key, part in schema.items():
        if key in _NO_SCHEMA:
            continue
        if depth > 0 and _is_field(part):
            yield str(part.get("name", key)), part, config
        elif depth > 0 and key == "fields" and isinstance(part, list):
            yield from ((one["name"], one, config) for one in part if _is_field(one))
        yield from _iter_fields(part, config, depth, seen)


def _is_field(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") in _FIELDS
