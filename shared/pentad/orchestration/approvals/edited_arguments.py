"""Check arguments that a human wrote in place of the model's against the tool's schema."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pentad.domain.canonical import canonical_json
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput
from pentad.domain.runs import ApprovalCall
from pentad.domain.schemas import find_violations
from pentad.tools.policy.final_arguments import fill_arguments

if TYPE_CHECKING:
    # Named, not loaded: see where it is.
    from jsonschema import ValidationError

_HINT_CHARACTERS = 300
MAX_BYTES = 200_000


def check_json(arguments: Mapping[int, dict[str, Any]]) -> None:
    """Return if edited arguments have a form in JSON, and are not longer than a call may be.

    Raises:
        InvalidInput: they have not.
    """
    for index, values in arguments.items():
        try:
            length = len(canonical_json(values).encode())
        except UnicodeEncodeError as error:
            raise InvalidInput(
                "the arguments hold half of a surrogate pair, which is not a character",
                field=f"arguments.{index}",
                fix="send whole characters",
            ) from error
        except (ValueError, TypeError) as error:
            raise InvalidInput(
                f"the arguments are not JSON: {error}", field=f"arguments.{index}", fix="leave out NaN and infinities"
            ) from error
        if length > MAX_BYTES:
            raise InvalidInput(
                f"the arguments have more than {MAX_BYTES:,} bytes", field=f"arguments.{index}", fix="shorten them"
            )


def fill_edits(
    calls: Sequence[ApprovalCall], edits: Mapping[int, dict[str, Any]], tools: Mapping[str, ToolSpec]
) -> dict[int, dict[str, Any]]:
    """Return edited arguments as they run, with defaults filled in. What does not fit is refused, and not read anew.

    Args:
        calls: that the approval shows.
        edits: by the call's index.
        tools: by name.
    """
    called = {call.index: tools.get(call.tool) for call in calls}
    return {
        index: arguments if (tool := called.get(index)) is None else fill_arguments(tool, arguments)
        for index, arguments in edits.items()
    }


def check_arguments(tool: ToolSpec | None, call: ApprovalCall) -> None:
    """Return if a call's edited arguments fit its tool's input schema.

    Raises:
        InvalidInput: they do not, or the tool is not there any more.
    """
    place = f"arguments.{call.index}"
    if tool is None:
        raise InvalidInput(f"the tool '{call.tool}' no longer exists", field=place, fix="reject the call")
    try:
        violations = find_violations(tool.input_schema, call.arguments)
    except InvalidInput as costly:
        raise InvalidInput(costly.message, field=place, fix="shorten the arguments") from costly
    if not violations:
        return
    error = min(violations, key=lambda found: found.json_path)
    path = ".".join(str(part) for part in error.absolute_path)
    # The rule that is broken, and not jsonschema's own words: those hold the value that was sent.
    rule, fix = _explain_violation(error)
    raise InvalidInput(
        f"the arguments don't fit the schema of '{call.tool}': {rule}",
        field=f"{place}.{path}" if path else place,
        fix=fix,
    )


def _explain_violation(error: "ValidationError") -> tuple[str, str]:
    """Return which rule is broken and what to give instead, with every name that is wrong or missing."""
    schema = error.schema if isinstance(error.schema, dict) else {}
    known, given = schema.get("properties", {}), error.instance
    if isinstance(given, dict) and error.validator == "additionalProperties" and not schema.get("patternProperties"):
        wrong = ", ".join(f"'{_truncate_text(name)}'" for name in sorted(set(given) - set(known)))
        return _truncate_text(f"no field {wrong}"), _truncate_text(
            f"leave it out; the fields are: {', '.join(known) or 'none'}"
        )
    if isinstance(given, dict) and error.validator == "required":
        missing = ", ".join(name for name in schema["required"] if name not in given)
        return _truncate_text(f"required: {missing}"), _truncate_text(
            f"give {missing}; the fields are: {', '.join(known) or 'any'}"
        )
    # A whole object's schema is too long for a sentence: the rule's own part of it is what has to be met.
    rule = {str(error.validator): error.validator_value} if known else schema
    return str(
        error.validator
    ), f"give what fits {_truncate_text(json.dumps(rule, ensure_ascii=False, sort_keys=True))}"


def _truncate_text(words: str) -> str:
    return words if len(words) <= _HINT_CHARACTERS else f"{words[: _HINT_CHARACTERS - 1]}…"
