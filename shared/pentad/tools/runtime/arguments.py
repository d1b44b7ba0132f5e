"""Check a call's arguments against the tool's signature; the error names the wrong field and what fits."""

import contextlib
import json
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pentad.domain.canonical import canonical_json
from pentad.domain.errors import InvalidInput
from pentad.domain.reading.coercion import coerce
from pentad.tools.declare.argument_faults import ArgumentFaults
from pentad.tools.declare.declare import Tool
from pentad.tools.declare.signature import bind
from pentad.tools.policy.unknown_fields import find_unknown_fields

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
                return _bind(tool, taken, _read(tool, taken))
        faults = ArgumentFaults(error, arguments, schema)
        problems = [_format_problem(found, faults, schema) for found in faults.errors]
        lines = problems[:_MAX_PROBLEMS]
        if len(problems) > _MAX_PROBLEMS:
            lines.append(f"- and {len(problems) - _MAX_PROBLEMS} more")
        raise InvalidInput(
            "the arguments are not valid; nothing was run:\n" + "\n".join(lines),
            field=faults.tell_place(faults.errors[0]).partition(".")[0],
            fix="correct the named fields and call the tool again",
        ) from error
    except ValueError as error:
        # What Python says of it may repeat a value.
        raise InvalidInput(
            "the arguments are not JSON", field="arguments", fix="leave out NaN, infinities and halves of characters"
        ) from error
    return _bind(tool, arguments, values)


def _bind(tool: Tool[Any, Any], arguments: dict[str, Any], values: Any) -> dict[str, Any]:
    """Return validated arguments for the function; refuse fields that pydantic takes no notice of, or reads by itself.

    No rule has looked at such a field. A model that is made of a JSON Schema has no fields, and was held against it.
    """
    schema = tool.spec.input_schema
    unknown = find_unknown_fields(schema, arguments) if type(values).model_fields else []
    if not unknown:
        return bind(tool.signature, values)
    faults = ArgumentFaults(None, arguments, schema)
    lines = [f"- {faults.tell_path(place)}: {_say_unknown('field', known)}" for place, known in unknown[:_MAX_PROBLEMS]]
    if len(unknown) > _MAX_PROBLEMS:
        lines.append(f"- and {len(unknown) - _MAX_PROBLEMS} more")
    raise InvalidInput(
        "the arguments are not valid; nothing was run:\n" + "\n".join(lines),
        field=str(unknown[0][0][0]),
        fix="correct the named fields and call the tool again",
    )


def _say_unknown(what: str, known: Iterable[str]) -> str:
    return f"no such {what}. Fix: leave it out; the {what}s are: {', '.join(known) or 'none'}"


def _read(tool: Tool[Any, Any], arguments: dict[str, Any]) -> Any:
    return tool.signature.arguments.model_validate_json(canonical_json(arguments), strict=True)


def _format_problem(found: ErrorDetails, faults: ArgumentFaults, schema: dict[str, Any]) -> str:
    path = [str(part) for part in found["loc"]]
    field = faults.tell_place(found)
    properties: dict[str, Any] = schema.get("properties", {})
    if found["type"] == "extra_forbidden":
        return f"- {field}: {_say_unknown('parameter', properties)}"
    expected = json.dumps(properties.get(path[0], {}) if path else schema, ensure_ascii=False)[:_MAX_HINT]
    return f"- {field}: {faults.tell_what(found)}. Fix: give {field} as {expected}"
