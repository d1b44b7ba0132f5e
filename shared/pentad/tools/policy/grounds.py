"""What a call is planned with: the policy, the untrusted text of the context, sums and confidence; and its planning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.reading.coercion import coerce
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.tools.policy.decide import decide
from pentad.tools.policy.outside_words import UntrustedText, find_outside_words
from pentad.tools.policy.sums import PlannedSums

_MAX_DEPTH = 8


@dataclass(frozen=True)
class Grounds:
    """What decides about calls beside the calls themselves.

    Attributes:
        policy: the project's.
        taint: sources of untrusted text in the context.
        confidence: of the turn; None where nobody rated it (yet).
        sums: tells what rules' sums have come to; None where nobody keeps any.
        untrusted: the untrusted text itself, to find its words in arguments.
        own_words: what the run's user wrote: words that stand there as well are the user's.
    """

    policy: PolicySpec = field(default_factory=PolicySpec)
    taint: tuple[str, ...] = ()
    confidence: float | None = None
    sums: PlannedSums | None = None
    untrusted: Sequence[UntrustedText] = ()
    own_words: Sequence[str] = ()


def plan_call(tool: ToolSpec, run: Run, call: ToolCall, grounds: Grounds) -> ToolCall:
    """Return a call as it is stored: with the arguments that run, and whether it runs, asks a human or is denied.

    Args:
        tool: what it calls.
        run: its run.
        call: as the model made it, or a workflow's step.
        grounds: what else decides.
    """
    arguments = canonicalise_arguments(tool, call.arguments)
    call = call.model_copy(
        update={
            "arguments": arguments,
            "arguments_hash": arguments_hash(arguments),
            "rewritten": arguments != call.arguments,
            "taint": grounds.taint,
            "confidence": grounds.confidence,
        }
    )
    sums = grounds.sums
    verdict = decide(tool, grounds.policy, run, call, spent=None if sums is None else sums.of(tool, run))
    if verdict.kind == "deny":
        end = {"status": CallStatus.FAILED, "is_error": True, "error_type": "PolicyDenied"}
        return call.model_copy(update=end | {"result": f"This call was not run. {' '.join(verdict.reasons)}"})
    if sums is not None:
        # Also one that asks: where a human allows it, it runs beside the others of its reply.
        sums.note(tool, run, call)
    if verdict.kind == "run":
        return call
    outside = find_outside_words(call.arguments, grounds.untrusted, own_words=grounds.own_words)
    return call.model_copy(update={"status": CallStatus.AWAITING, "reasons": verdict.reasons, "outside": outside})


def canonicalise_arguments(tool: ToolSpec, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments as the tool's function takes them: forms that have one meaning, and defaults filled in.

    Of a tool without effects they stay as they are: nobody decides about them. A default of null is left out.
    """
    if tool.effects == "none":
        return arguments
    taken = coerce(tool.input_schema, arguments)
    return fill_arguments(tool, taken if isinstance(taken, dict) else arguments)


def fill_arguments(tool: ToolSpec, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with defaults filled in, and whole numbers as such; of a tool without effects as they are."""
    filled = arguments if tool.effects == "none" else _fill(tool.input_schema, arguments, 0)
    return filled if isinstance(filled, dict) else arguments


def _fill(schema: Any, value: Any, depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return value
    if isinstance(value, float) and _takes_whole(schema) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_fill(schema.get("items"), entry, depth + 1) for entry in value]
    fields = schema.get("properties")
    if not isinstance(value, dict) or not isinstance(fields, Mapping):
        return value
    filled = {name: _fill(fields.get(name), part, depth + 1) for name, part in value.items()}
    for name, part in fields.items():
        if name not in filled and isinstance(part, Mapping) and part.get("default") is not None:
            filled[name] = part["default"]
    return filled


def _takes_whole(schema: Mapping[str, Any]) -> bool:
    """Tell whether of numbers a schema takes whole ones only."""
    choices = [schema, *(one for key in ("anyOf", "oneOf") for one in schema.get(key) or ())]
    kinds = {one.get("type") for one in choices if isinstance(one, Mapping) and isinstance(one.get("type"), str)}
    return "integer" in kinds and "number" not in kinds


def keep_defaults(schema: Any, depth: int = 0) -> dict[str, Any]:
    """Return what of a schema `canonicalise_arguments` fills in arguments by; empty where it fills in nothing."""
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return {}
    kept: dict[str, Any] = {}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    if _takes_whole(schema):
        kept["type"] = "integer"
    fields = {name: keep_defaults(part, depth + 1) for name, part in (schema.get("properties") or {}).items()}
    if any(fields.values()):
        kept["properties"] = {name: part for name, part in fields.items() if part}
    items = keep_defaults(schema.get("items"), depth + 1)
    return kept | ({"items": items} if items else {})
