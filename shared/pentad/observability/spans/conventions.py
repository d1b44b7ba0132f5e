"""OpenTelemetry's conventions for generative AI, v0.1.0, as far as our spans use them: names, levels and types.

`tests/unit/observability/spans/test_conventions.py` compares this with `tests/data/genai-conventions.json`. Only tests
and `MemoryTelemetry` check spans: a deployed function writes them unchecked.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SpanRule:
    """What a span of one operation has to be.

    Args:
        named_by: the attribute whose value follows the operation in the span's name; None where any word may.
        kinds: the kinds that it may have.
        required: attributes that it must have, besides the operation.
    """

    named_by: str | None
    kinds: frozenset[str]
    required: tuple[str, ...] = ()


_CLIENT, _INTERNAL = frozenset({"CLIENT"}), frozenset({"INTERNAL"})
_EITHER = _CLIENT | _INTERNAL
OPERATIONS: Mapping[str, SpanRule] = {
    "chat": SpanRule("gen_ai.request.model", _CLIENT, ("gen_ai.provider.name",)),
    "embeddings": SpanRule("gen_ai.request.model", _CLIENT),
    "retrieval": SpanRule("gen_ai.data_source.id", _EITHER),
    "execute_tool": SpanRule("gen_ai.tool.name", _INTERNAL),
    "invoke_agent": SpanRule("gen_ai.agent.name", _EITHER),
    # The same span of a workflow, which is named by the same attribute.
    "invoke_workflow": SpanRule("gen_ai.agent.name", _EITHER),
    "plan": SpanRule(None, _INTERNAL),
} | {f"{verb}_memory": SpanRule(None, _EITHER) for verb in ("create", "search", "update", "upsert", "delete")}
_TEXTS = (str, "a text")
_WHOLE = (int, "a whole number")
_NUMBER = (float, "a number")
_LIST = (tuple, "a list of texts")
_TRUTH = (bool, "true or false")
TYPES: Mapping[str, tuple[type, str]] = {
    "gen_ai.operation.name": _TEXTS,
    "gen_ai.provider.name": _TEXTS,
    "gen_ai.request.model": _TEXTS,
    "gen_ai.request.max_tokens": _WHOLE,
    "gen_ai.request.stream": _TRUTH,
    "gen_ai.request.choice.count": _WHOLE,
    "gen_ai.output.type": _TEXTS,
    "gen_ai.conversation.id": _TEXTS,
    "gen_ai.response.id": _TEXTS,
    "gen_ai.response.model": _TEXTS,
    "gen_ai.response.finish_reasons": _LIST,
    "gen_ai.response.time_to_first_chunk": _NUMBER,
    "gen_ai.usage.input_tokens": _WHOLE,
    "gen_ai.usage.output_tokens": _WHOLE,
    "gen_ai.usage.cache_read.input_tokens": _WHOLE,
    "gen_ai.usage.cache_write.input_tokens": _WHOLE,
    "gen_ai.usage.reasoning.output_tokens": _WHOLE,
    "gen_ai.agent.name": _TEXTS,
    "gen_ai.tool.name": _TEXTS,
    "gen_ai.tool.call.id": _TEXTS,
    "gen_ai.data_source.id": _TEXTS,
    "mcp.method.name": _TEXTS,
    "server.address": _TEXTS,
    "server.port": _WHOLE,
    "error.type": _TEXTS,
}
"""The attributes that our spans may have, besides those that begin with ``pentad.``."""
CONTENT = frozenset(
    {
        "gen_ai.system_instructions",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.tool.definitions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
    }
)
"""What people and models have said: opt-in in the conventions, and in no span of ours."""


def check_span(name: str, kind: str, attributes: Mapping[str, object]) -> None:
    """Return if a span is as the conventions have it.

    Raises:
        ValueError: its name, kind, or an attribute is not; the message says which.
    """
    for attribute, value in attributes.items():
        _check_attribute(name, attribute, value)
    operation = attributes.get("gen_ai.operation.name")
    if operation is None:
        if name.split(" ")[0] in OPERATIONS:
            raise ValueError(f"the span '{name}' has no gen_ai.operation.name")
        return
    rule = OPERATIONS.get(str(operation))
    if rule is None:
        raise ValueError(f"the span '{name}' has the operation '{operation}', which the conventions do not have")
    if kind not in rule.kinds:
        raise ValueError(f"the span '{name}' is of the kind {kind}, and has to be one of {sorted(rule.kinds)}")
    missing = [one for one in rule.required if one not in attributes]
    if missing:
        raise ValueError(f"the span '{name}' has no {', '.join(missing)}")
    subject = attributes.get(rule.named_by) if rule.named_by else name.removeprefix(f"{operation} ")
    if name != (f"{operation} {subject}" if subject else operation):
        raise ValueError(f"the span '{name}' has to be named '{operation} {{{rule.named_by}}}'")


def _check_attribute(name: str, attribute: str, value: object) -> None:
    if attribute in CONTENT:
        raise ValueError(f"the span '{name}' has content: '{attribute}'")
    if attribute.startswith("pentad."):
        if not isinstance(value, str | int | float | bool | tuple):
            raise ValueError(f"the attribute '{attribute}' of the span '{name}' is not a plain value")
        return
    if attribute not in TYPES:
        raise ValueError(f"the attribute '{attribute}' of the span '{name}' is not in the conventions")
    wanted, words = TYPES[attribute]
    given = tuple if isinstance(value, list) else type(value)
    if given is not wanted and not (wanted is float and given is int):
        raise ValueError(f"the attribute '{attribute}' of the span '{name}' has to be {words}")
