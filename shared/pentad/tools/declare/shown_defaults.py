"""The JSON Schema of arguments with every default in it, so that an approver sees each value that runs.

What is left out of a call is filled in from the schema before a human is asked. A default that no schema can hold is
refused where the tool is declared: one that is made anew at each call, that is no JSON, or that JSON reads as another.
"""

import json
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from pentad.domain.errors import ConfigurationError

_FIXED: Final = (bool, bytes, dict, float, frozenset, int, list, set, str, tuple)
"""Factories whose default is always the same: empty."""


class ShownDefaults(GenerateJsonSchema):
    """Writes a schema with each default, or refuses the default."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._known: list[CoreSchema] = []
        self._names: dict[int, str] = {}

    def emit_warning(self, kind: str, detail: str) -> None:
        """Warn of nothing: what pydantic would leave out is refused."""

    def definitions_schema(self, schema: core_schema.DefinitionsSchema) -> JsonSchemaValue:
        """Note the types that others refer to: a default is read by them."""
        self._known = schema["definitions"]
        return super().definitions_schema(schema)

    def model_fields_schema(self, schema: core_schema.ModelFieldsSchema) -> JsonSchemaValue:
        """Note the names of fields, for messages."""
        for name, field in schema["fields"].items():
            alias = field.get("validation_alias")
            self._names[id(field["schema"])] = alias if isinstance(alias, str) else name
        return super().model_fields_schema(schema)

    def dataclass_args_schema(self, schema: core_schema.DataclassArgsSchema) -> JsonSchemaValue:
        """Note the names of fields, for messages."""
        self._names |= {id(field["schema"]): field["name"] for field in schema["fields"]}
        return super().dataclass_args_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a value with its default.

        Raises:
            ConfigurationError: the default can't be shown.
        """
        factory: Any = schema.get("default_factory")
        if factory is not None and factory not in _FIXED:
            raise self._refuse(schema, "is made anew at each call")
        default = schema.get("default") if factory is None else factory()
        if default is None:
            return super().default_schema(schema)
        shown = super().default_schema({**schema, "default": default})
        if "default" not in shown or not self._is_read_back(schema["schema"], shown["default"], default):
            raise self._refuse(schema, "is no JSON, or is another value once it is read as the parameter's type")
        return shown

    def _is_read_back(self, inner: CoreSchema, shown: Any, default: Any) -> bool:
        """Tell whether a call that says the default gives the function what one gives that leaves it out."""
        try:
            text = json.dumps(shown, allow_nan=False)
            return bool(self._make_validator(inner).validate_json(text, strict=True) == default)
        except Exception:  # a validator or an __eq__ of the tool's author may raise anything
            return False

    def _make_validator(self, inner: CoreSchema) -> SchemaValidator:
        return SchemaValidator(core_schema.definitions_schema(inner, self._known) if self._known else inner)

    def _refuse(self, schema: core_schema.WithDefaultSchema, why: str) -> ConfigurationError:
        name = self._names.get(id(schema))
        whose = f"'{name}'" if name else "a parameter"
        return ConfigurationError(
            f"the default of {whose} {why}, so no approver could be shown it",
            field="parameters",
            fix="give a default that is JSON and fits the annotation, or None and let the function put in the value",
        )
