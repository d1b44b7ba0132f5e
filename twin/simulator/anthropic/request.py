"""Anthropic's Messages API, the way in: validate a request as the provider does and read it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from twin.simulator.anthropic.search_results import take_results
from twin.simulator.neutral import Conversation, Json, Problem, Tool, ToolCall, ToolChoice, ToolResult, Turn
from twin.simulator.schemas import adapt_patterns, find_schema_error, iter_schemas
from twin.simulator.tokens import Segment

MIN_THINKING_TOKENS = 1024
MAX_BREAKPOINTS = 4
_SIGNING_KEY = b"model simulator: signatures prove that a thinking block came back unchanged"
_TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
_CALL_ID = re.compile(r"^[a-zA-Z0-9_-]+$")
MAX_OUTPUT_TOKENS = 128_000
"""That today's models write at most (models overview, 2026-11)."""
_BOUNDS = frozenset(
    "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems uniqueItems".split()
)
"""What a schema of structured outputs may not have (platform.claude.com, "Structured outputs", limitations)."""
_FIELDS = frozenset(
    """model messages max_tokens system tools tool_choice stream stop_sequences metadata thinking output_config
    service_tier cache_control container diagnostics inference_geo speed user_profile_id workspace_id mcp_servers
    context_management betas""".split()
)


def sign(thinking: str) -> str:
    """Return the signature of a thinking block."""
    return hmac.new(_SIGNING_KEY, thinking.encode(), hashlib.sha256).hexdigest()


def check_headers(headers: Mapping[str, str]) -> None:
    """Check the key and the version.

    Raises:
        Problem: 401 or 400 as Anthropic answers.
    """
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not key:
        raise Problem(401, "x-api-key header is required")
    if key == "invalid":
        raise Problem(401, "invalid x-api-key")
    if "anthropic-version" not in headers:
        raise Problem(400, "anthropic-version: header is required")


def parse(body: Any, *, counting: bool = False) -> Conversation:
    """Validate and read a request.

    Args:
        body: The JSON body.
        counting: Whether it only asks for a token count, which needs no ``max_tokens``.

    Raises:
        Problem: 400 with Anthropic's wording.
    """
    if not isinstance(body, dict):
        raise Problem(400, "The request body is not valid JSON.")
    _check_fields(body, counting=counting)
    tools = _read_tools(body)
    thinking = _read_thinking(body)
    choice = _read_choice(body, tools, thinking=thinking)
    output = body.get("output_config") or {}
    form = output.get("format") or {}
    messages = take_results(body["messages"], structured=bool(form))
    turns = tuple(_read_turn(index, message) for index, message in enumerate(messages))
    _check_order(turns)
    _check_pairs(turns)
    _check_breakpoints(body)
    if form.get("type") == "json_schema":
        _check_output_schema(form.get("schema"))
    system = "\n".join([_join_text(body.get("system")), *(turn.text for turn in turns if turn.role == "system")])
    return Conversation(
        model=str(body["model"]),
        turns=tuple(turn for turn in turns if turn.role != "system"),
        system=system.strip(),
        tools=tools,
        choice=choice,
        schema=adapt_patterns(form.get("schema")) if form.get("type") == "json_schema" else None,
        thinking=thinking,
        max_tokens=body.get("max_tokens"),
        stop_sequences=tuple(body.get("stop_sequences") or ()),
        stream=bool(body.get("stream")),
    )


def list_segments(body: Json) -> list[Segment]:
    """Return the prompt's cacheable pieces in the provider's order: tools, system, messages."""
    found = [_to_segment(tool) for tool in body.get("tools") or ()]
    system = body.get("system")
    found += [_to_segment(block) for block in ([{"text": system}] if isinstance(system, str) else system or ())]
    for message in body.get("messages") or ():
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or ()
        found += [_to_segment(block, str(message.get("role"))) for block in blocks]
    if body.get("cache_control") and found:
        found[-1] = Segment(found[-1].text, _ttl(body["cache_control"]))
    return found


def _to_segment(block: Mapping[str, Any], role: str = "") -> Segment:
    bare = {key: value for key, value in block.items() if key != "cache_control"}
    control = block.get("cache_control")
    text = role + json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Segment(text, _ttl(control) if control else None)


def _ttl(control: Mapping[str, Any]) -> str:
    return "1h" if control.get("ttl") == "1h" else "5m"


def _check_fields(body: Json, *, counting: bool) -> None:
    for name in body:
        if name not in _FIELDS:
            raise Problem(400, f"{name}: Extra inputs are not permitted")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Problem(400, "model: Field required")
    if not counting:
        limit = body.get("max_tokens")
        if limit is None:
            raise Problem(400, "max_tokens: Field required")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise Problem(400, "max_tokens: Input should be greater than or equal to 0")
        if limit > MAX_OUTPUT_TOKENS:
            raise Problem(
                400,
                f"max_tokens: {limit} > {MAX_OUTPUT_TOKENS}, which is the maximum allowed number of output tokens for "
                f"{body['model']}",
            )
    if "messages" not in body:
        raise Problem(400, "messages: Field required")
    if not isinstance(body["messages"], list) or not body["messages"]:
        raise Problem(400, "messages: at least one message is required")


def _read_tools(body: Json) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for index, raw in enumerate(body.get("tools") or ()):
        if raw.get("type") not in (None, "custom"):
            raise Problem(400, f"tools.{index}: server tools are not simulated: {raw.get('type')}")
        name = str(raw.get("name", ""))
        if not _TOOL_NAME.match(name):
            raise Problem(400, f"tools.{index}.custom.name: String should match pattern '{_TOOL_NAME.pattern}'")
        schema = raw.get("input_schema")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise Problem(400, f"tools.{index}.custom.input_schema.type: Field required")
        if {"anyOf", "oneOf", "allOf"} & set(schema):
            raise Problem(
                400,
                f"tools.{index}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf "
                "at the top level",
            )
        if find_schema_error(schema) is not None:
            raise Problem(
                400,
                f"tools.{index}.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
                "(https://json-schema.org/draft/2020-12).",
            )
        if raw.get("strict"):
            _check_strict(schema, f"tools.{index}.custom.input_schema: ")
        if name in {tool.name for tool in found}:
            raise Problem(400, "tools: Tool names must be unique.")
        found.append(Tool(name, str(raw.get("description") or ""), adapt_patterns(schema)))
    _check_strict_limits([raw["input_schema"] for raw in body.get("tools") or () if raw.get("strict")])
    return tuple(found)


def _check_strict_limits(schemas: list[Json]) -> None:
    """Check what a request's strict tools may have in all ("Structured outputs", schema complexity limits)."""
    nodes = [node for schema in schemas for _, node in iter_schemas(schema)]
    optional = sum(len((node.get("properties") or {}).keys() - set(node.get("required") or ())) for node in nodes)
    unions = sum("anyOf" in node or isinstance(node.get("type"), list) for node in nodes)
    for count, most, what in ((len(schemas), 20, "strict tools"), (optional, 24, "optional"), (unions, 16, "union")):
        if count > most:
            raise Problem(400, f"Schemas contains too many parameters ({count} {what}, the limit is {most})")


def _check_output_schema(schema: Any) -> None:
    """Check what structured outputs ask of a schema: closed objects, no bounds, no references to itself."""
    where = "output_config.format.schema: "
    if not isinstance(schema, dict):
        raise Problem(400, "output_config.format.schema: Field required")
    if find_schema_error(schema) is not None:
        raise Problem(400, where + "JSON schema is invalid.")
    _check_strict(schema, where)


def _check_strict(schema: Json, where: str) -> None:
    for _, node in iter_schemas(schema):
        kind = node.get("type")
        if kind == "object" and node.get("additionalProperties") is not False:
            raise Problem(400, f"{where}For 'object' type, 'additionalProperties' must be explicitly set to false")
        bounds = sorted(_BOUNDS & set(node))
        if bounds:
            raise Problem(400, f"{where}For '{kind}' type, properties {', '.join(bounds)} are not supported")
        if kind == "array" and node.get("minItems", 0) not in (0, 1):
            raise Problem(400, f"{where}For 'array' type, 'minItems' values other than 0 or 1 are not supported")


def _read_thinking(body: Json) -> bool:
    config = body.get("thinking") or {}
    kind = config.get("type", "disabled")
    if kind not in ("enabled", "disabled", "adaptive", "between_tools"):
        raise Problem(400, f"thinking.type: unexpected value '{kind}'")
    if kind == "enabled":
        budget = config.get("budget_tokens")
        if not isinstance(budget, int) or budget < MIN_THINKING_TOKENS:
            raise Problem(
                400,
                f"thinking.enabled.budget_tokens: Input should be greater than or equal to {MIN_THINKING_TOKENS}",
            )
        if budget >= body.get("max_tokens", budget + 1):
            raise Problem(400, "`max_tokens` must be greater than `thinking.budget_tokens`.")
    return kind in ("enabled", "adaptive")


def _read_choice(body: Json, tools: tuple[Tool, ...], *, thinking: bool) -> ToolChoice:
    raw = body.get("tool_choice") or {"type": "auto"}
    mode, name = raw.get("type"), str(raw.get("name", ""))
    if mode not in ("auto", "any", "tool", "none"):
        raise Problem(400, f"tool_choice: unexpected type '{mode}'")
    if mode in ("any", "tool") and not tools:
        raise Problem(400, "tool_choice: tools must be given to use this choice")
    if mode == "tool" and name not in {tool.name for tool in tools}:
        raise Problem(400, f"tool_choice: Tool '{name}' not found in provided tools")
    if mode in ("any", "tool") and thinking:
        raise Problem(400, "Thinking may not be enabled when tool_choice forces tool use.")
    return ToolChoice(mode, name, parallel=not raw.get("disable_parallel_tool_use", False))


def _read_turn(index: int, message: Any) -> Turn:
    where = f"messages.{index}"
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("user", "assistant", "system"):
        raise Problem(400, f"{where}.role: Input should be 'user', 'assistant' or 'system'")
    content = message.get("content")
    if content is None:
        raise Problem(400, f"{where}.content: Field required")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list) or not blocks or content == "":
        raise Problem(400, f"{where}: {role} messages must have non-empty content")
    texts: list[str] = []
    calls: list[ToolCall] = []
    results: list[ToolResult] = []
    for position, block in enumerate(blocks):
        _read_block(f"{where}.content.{position}", block, role, texts, calls, results)
    return Turn(role, "\n".join(texts), tuple(calls), tuple(results))


def _read_block(
    where: str, block: Any, role: str, texts: list[str], calls: list[ToolCall], results: list[ToolResult]
) -> None:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "text":
        texts.append(_read_text(block))
    elif kind == "tool_use" and role == "assistant":
        calls.append(_read_call(where, block))
    elif kind == "tool_result" and role == "user":
        text = _join_text(block.get("content"))
        results.append(ToolResult(str(block.get("tool_use_id")), text, bool(block.get("is_error"))))
    elif kind == "thinking" and role == "assistant":
        if not hmac.compare_digest(str(block.get("signature", "")), sign(str(block.get("thinking", "")))):
            raise Problem(400, f"{where}: Invalid `signature` in `thinking` block")
    elif kind == "document":
        texts.append(str((block.get("source") or {}).get("data") or ""))
    elif kind not in ("redacted_thinking", "image"):
        raise Problem(400, f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags")


def _read_text(block: Json) -> str:
    if not block.get("text"):
        raise Problem(400, "messages: text content blocks must be non-empty")
    if not str(block["text"]).strip():
        raise Problem(400, "messages: text content blocks must contain non-whitespace text")
    return str(block["text"])


def _read_call(where: str, block: Json) -> ToolCall:
    call_id = str(block.get("id"))
    if not _CALL_ID.fullmatch(call_id):
        raise Problem(400, f"{where}.tool_use.id: String should match pattern '{_CALL_ID.pattern}'")
    return ToolCall(str(block.get("name")), dict(block.get("input") or {}), call_id)


def _check_order(turns: tuple[Turn, ...]) -> None:
    spoken = [turn for turn in turns if turn.role != "system"]
    if not spoken or spoken[0].role != "user":
        raise Problem(400, 'messages: first message must use the "user" role')
    if spoken[-1].role == "assistant" and not spoken[-1].calls:
        raise Problem(
            400,
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        )


def _check_pairs(turns: tuple[Turn, ...]) -> None:
    spoken = list(enumerate(turns))
    known: set[str] = set()
    for index, turn in spoken:
        for call in turn.calls:
            if call.id in known:
                raise Problem(400, f"messages.{index}: `tool_use` ids must be unique")
            known.add(call.id)
        following = turns[index + 1] if index + 1 < len(turns) else None
        answered = {result.call_id for result in following.results} if following else set()
        missing = [call.id for call in turn.calls if call.id not in answered]
        if missing:
            raise Problem(
                400,
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block "
                "in the next message.",
            )
        made = {call.id for call in turns[index - 1].calls} if index else set()
        for position, result in enumerate(turn.results):
            if [each.call_id for each in turn.results].count(result.call_id) > 1:
                raise Problem(
                    400,
                    f"messages.{index}.content.{position}: each tool_use must have a single result. Found multiple "
                    f"`tool_result` blocks with id: {result.call_id}",
                )
            if result.call_id not in made:
                raise Problem(
                    400,
                    f"messages.{index}.content.{position}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{result.call_id}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message.",
                )


def _check_breakpoints(body: Json) -> None:
    marks = sum(segment.ttl is not None for segment in list_segments(body))
    if marks > MAX_BREAKPOINTS:
        raise Problem(400, f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {marks}.")


def _join_text(content: Any) -> str:
    """Return the text of a string or of a list of blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(_iter_texts(content or ()))


def _iter_texts(blocks: Any) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, dict) and block.get("type") in ("text", None):
            yield str(block.get("text", ""))
