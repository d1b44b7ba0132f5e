"""Check a call's arguments against the tool's signature; the error names the wrong field and what fits."""

import contextlib
import json
from typing import Any

from pydantic import ValidationError

from pentad.domain.canonical import canonical_json
from pentad.domain.errors import InvalidInput
from pentad.domain.reading.coercion import coerce
from pentad.tools.declare.declare import Tool
from pentad.tools.declare.signature import bind

_MAX_PROBLEMS = 10
_MAX_HINT = 300


def validate_arguments(tool: Tool[Any, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments in the function's own types.

    They are read as JSON and strictly ("2026-03-01" is a date where one is declared), but for forms that have one
    meaning: "3" is 3 where an integer is asked for (`pentad.domain.reading.coercion` has the table).

    Raises:
        InvalidInput: the message has one line a problem: field, what is wrong, what to give instead.
    """
    schema = tool.spec.input_schema
    try:
        values = _read(tool, arguments)
    except ValidationError as error:
        taken = coerce(schema, arguments, refused=True)
        if taken is not arguments:
            with contextlib.suppress(ValidationError):
                return bind(tool.signature, _read(tool, taken))
        problems = [_format_problem(found, schema) for found in error.errors(include_url=False, include_input=False)]
        lines = problems[:_MAX_PROBLEMS]
        if len(problems) > _MAX_PROBLEMS:
            lines.append(f"- and {len(problems) - _MAX_PROBLEMS} more")
        first = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else "arguments"
        raise InvalidInput(
            "the arguments are not valid; nothing was run:\n" + "\n".join(lines),
            field=first,
            fix="correct the named fields and call the tool again",
        ) from error
    except ValueError as error:
        raise InvalidInput(f"the arguments are not JSON: {error}", field="arguments", fix="leave out NaN") from error
    return bind(tool.signature, values)


def _read(tool: Tool[Any, Any], arguments: dict[str, Any]) -> Any:
    return tool.signature.arguments.model_validate_json(canonical_json(arguments), strict=True)


def _format_problem(found: Any, schema: dict[str, Any]) -> str:
    path = [str(part) for part in found["loc"]]
    field = ".".join(path) or "arguments"
    properties: dict[str, Any] = schema.get("properties", {})
    if found["type"] == "extra_forbidden":
        known = ", ".join(properties) or "none"
        return f"- {field}: no such parameter. Fix: leave it out; the parameters are: {known}"
    expected = json.dumps(properties.get(path[0], {}) if path else schema, ensure_ascii=False)[:_MAX_HINT]
    said = found["msg"].removeprefix("Value error, ")
    return f"- {field}: {said}. Fix: give {field} as {expected}"
