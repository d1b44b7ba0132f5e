"""What each tracing product wants said of a span beside the conventions' names: kind, cost, session, contents. Pure.

Sources, as read in November 2026: OpenInference's semantic conventions, which Phoenix, Arize AX and Weave read;
"Supported OpenTelemetry attribute mapping" of LangSmith; Langfuse's `ObservationTypeMapper` and `extractCostDetails`.
They know the operations of models, tools and agents by the conventions' names, and no others.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pentad.domain.reading.json_text import read_json
from pentad.observability.export.targets import Target, TargetKind

Attributes = Mapping[str, Any]
Kind = Literal["LLM", "EMBEDDING", "RETRIEVER", "TOOL", "AGENT", "CHAIN"]
"""Of a span, as OpenInference names them."""
KINDS: Final[Mapping[str, Kind]] = {
    "chat": "LLM",
    "embeddings": "EMBEDDING",
    "retrieval": "RETRIEVER",
    "search_memory": "RETRIEVER",
    "execute_tool": "TOOL",
    "undo_tool": "TOOL",
    "invoke_agent": "AGENT",
}
"""By the first word of a span's name; what is not here is a link between others, ``CHAIN``."""
_NANO: Final = 1_000_000_000
_COST: Final = "pentad.cost.nanousd"
_SESSION: Final = "gen_ai.conversation.id"
_MODEL: Final = "gen_ai.request.model"
_USAGE: Final = "gen_ai.usage."


def convert_span(target: Target, span: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a span with what the target's product wants said of it beside the conventions' names."""
    describe = _DIALECTS.get(target.kind)
    if describe is None:
        return span
    given: Attributes = span.get("attributes") or {}
    if _MODEL not in given:
        # Products sum up what is below a span: a run's tokens would be counted with those of its attempts.
        given = {name: value for name, value in given.items() if not name.startswith(_USAGE)}
    operation = str(given.get("gen_ai.operation.name") or str(span.get("name", "")).partition(" ")[0])
    more = {name: value for name, value in describe(KINDS.get(operation, "CHAIN"), given).items() if value is not None}
    return {**span, "attributes": {**given, **more}}


def _describe_openinference(kind: Kind, given: Attributes) -> dict[str, Any]:
    said = {f"{side}.value": _find_said(given, side) for side in ("input", "output")}
    types = {
        f"{side}.mime_type": "application/json" if text[:1] in ("[", "{") else "text/plain"
        for side, text in ((one, said[f"{one}.value"]) for one in ("input", "output"))
        if text is not None
    }
    return {
        **said,
        **types,
        "openinference.span.kind": kind,
        "session.id": given.get(_SESSION),
        "llm.cost.total": _find_usd(given),
        # What the conventions call cache_write since v0.1.0 is known to products by its former name.
        "llm.token_count.prompt_details.cache_write": given.get("gen_ai.usage.cache_write.input_tokens"),
    }


def _describe_langsmith(kind: Kind, given: Attributes) -> dict[str, Any]:
    return {
        "langsmith.span.kind": "chain" if kind == "AGENT" else kind.lower(),
        "langsmith.trace.session_id": given.get(_SESSION),
        "gen_ai.system": given.get("gen_ai.provider.name"),
        "gen_ai.prompt": _find_said(given, "input"),
        "gen_ai.completion": _find_said(given, "output"),
    }


def _describe_langfuse(kind: Kind, given: Attributes) -> dict[str, Any]:
    return {
        "langfuse.observation.type": "generation" if kind == "LLM" else kind.lower(),
        "langfuse.session.id": given.get(_SESSION),
        "gen_ai.usage.cost": _find_usd(given),
        "langfuse.observation.input": _find_said(given, "input"),
        "langfuse.observation.output": _find_said(given, "output"),
    }


def _find_said(given: Attributes, side: Literal["input", "output"]) -> str | None:
    """Return what was asked or answered, where the span has it: a message's text, or messages as they are."""
    of_call = given.get("gen_ai.tool.call.arguments" if side == "input" else "gen_ai.tool.call.result")
    messages = given.get(f"gen_ai.{side}.messages")
    if messages is None:
        return None if of_call is None else str(of_call)
    try:
        found = read_json(messages)
        parts = found[0]["parts"] if len(found) == 1 else []
        texts = [str(one["content"]) for one in parts if one["type"] == "text"]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return str(messages)  # another's attribute of this name
    return "\n".join(texts) if texts and len(texts) == len(parts) else str(messages)


def _find_usd(given: Attributes) -> float | None:
    """Return what a model attempt has cost; None of another span."""
    nanousd = given.get(_COST)
    return nanousd / _NANO if isinstance(nanousd, int) and _MODEL in given else None


_DIALECTS: Mapping[TargetKind, Callable[[Kind, Attributes], dict[str, Any]]] = {
    "phoenix": _describe_openinference,
    "arize": _describe_openinference,
    "weave": _describe_openinference,
    "langsmith": _describe_langsmith,
    "langfuse": _describe_langfuse,
}
