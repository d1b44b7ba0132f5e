"""``POST /v1/chat/completions``: what a client asks, as the gateway's request.

Fields are of three kinds. What is of none (OpenAI adds fields faster than gateways learn of them) is ignored, and named
to the client in a header; a client that asks for strictness gets an error instead.
Source: `openai/types/chat/completion_create_params.py` of openai 3.54.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from pentad.api.door import forms, schemas
from pentad.api.door.faults import DoorFault
from pentad.api.door.messages import parse_conversation
from pentad.api.door.names import ToolNames
from pentad.api.door.reading import LeftOut, Part, parse_model, split_known
from pentad.api.door.targets import resolve_target
from pentad.api.door.tools import Choice, parse_tools
from pentad.domain.models import CallContext, ChatRequest
from pentad.models.catalog.catalog import ModelCatalog

IGNORED = frozenset(
    {
        "frequency_penalty",
        "metadata",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "safety_identifier",
        "seed",
        "service_tier",
        "store",
        "temperature",
        "top_p",
        "verbosity",
    }
)
"""Accepted and not followed: hints, and sampling parameters, which today's models no longer have."""

REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "audio": ((), "there is no speech"),
    "function_call": (("auto", "none"), "use tool_choice"),
    "functions": (([],), "use tools"),
    "logit_bias": (({},), "the gateway can't bias tokens"),
    "logprobs": ((False,), "the gateway has no log probabilities"),
    "modalities": ((["text"], []), "text only"),
    "moderation": ((), "there is no moderation"),
    "n": ((1,), "one answer a request"),
    "top_logprobs": ((0,), "the gateway has no log probabilities"),
    "web_search_options": ((), "there is no web search"),
}
"""Fields that would change the answer and can't be followed, with the values that ask for nothing."""

_JSON = "Reply with one JSON object and nothing else: no words around it, no code fence."
MAX_STOPS = 4


class _StreamOptions(Part):
    hints: ClassVar[frozenset[str]] = frozenset({"include_obfuscation"})

    include_usage: bool = False


class _Schema(Part):
    # Answers are held against the schema, strict or not; its name means nothing.
    quiet: ClassVar[frozenset[str]] = frozenset({"name", "strict"})
    hints: ClassVar[frozenset[str]] = frozenset({"description"})

    schema_: Annotated[dict[str, Any], AfterValidator(schemas.drop_null_keywords)] = Field(alias="schema")


class _Format(Part):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


class ChatBody(Part, extra="forbid"):
    """The fields that are followed."""

    model: str = Field(min_length=1, max_length=200)
    messages: list[Any] = Field(min_length=1)
    tools: tuple[Any, ...] = ()
    tool_choice: Any = None
    parallel_tool_calls: bool = True
    response_format: dict[str, Any] | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stop: Any = None
    stream: bool = False
    stream_options: dict[str, Any] = Field(default_factory=dict)
    user: str | None = None


@dataclass(frozen=True)
class CompletionRequest:
    """What a client asked.

    Args:
        request: for the gateway.
        names: of the tools, both ways.
        stops: texts at which the answer ends.
        one_call: at most one tool call.
        json_object: the answer is to be a JSON object.
        stream: answer with server-sent events.
        include_usage: the events end with the usage.
        ignored: names of fields that were not followed.
    """

    request: ChatRequest
    names: ToolNames
    stops: tuple[str, ...]
    one_call: bool
    json_object: bool
    stream: bool
    include_usage: bool
    ignored: tuple[str, ...]


def parse_request(
    fields: Mapping[str, Any], context: CallContext, catalog: ModelCatalog, now: datetime, *, strict: bool = False
) -> CompletionRequest:
    """Return what a request's fields ask.

    Args:
        fields: the body, fields that are null left out.
        context: on whose behalf.
        catalog: models, tiers, tasks.
        now: the time.
        strict: a field that is not known is an error.

    Raises:
        Fault: a field is wrong, or asks for what can't be done; ``param`` says which.
    """
    body, unknown = _parse_body(fields, strict)
    left_out = LeftOut(strict=strict)
    talk = parse_conversation(body.messages, left_out)
    chosen = parse_tools(body.tools, body.tool_choice, talk.called, left_out)
    output = _parse_format(body.response_format, left_out)
    options = parse_model(_StreamOptions, body.stream_options, "stream_options", left_out)
    messages = talk.to_messages(chosen.names, now)
    plain_json = output is not None and output.type == "json_object"
    system = "\n\n".join(part for part in (talk.system, _JSON if plain_json else "") if part)
    request = ChatRequest.model_validate(
        {
            "context": context,
            **resolve_target(catalog, body.model, "chat").select,
            "system": system,
            "messages": messages,
            "tools": chosen.specs,
            "tool_choice": _resolve_choice(chosen.choice, body),
            "output_schema": output.json_schema.schema_ if output is not None and output.json_schema else None,
            "max_output_tokens": body.max_completion_tokens or body.max_tokens,
        }
    )
    return CompletionRequest(
        request=request,
        names=chosen.names,
        stops=_parse_stops(body.stop),
        one_call=not body.parallel_tool_calls,
        json_object=plain_json,
        stream=body.stream,
        include_usage=options.include_usage,
        ignored=tuple(sorted({*(IGNORED & fields.keys()), *unknown, *left_out.names})),
    )


def _parse_body(fields: Mapping[str, Any], strict: bool) -> tuple[ChatBody, list[str]]:
    for name, (harmless, why) in REFUSED.items():
        if name in fields and not any(fields[name] == value for value in harmless):
            raise DoorFault(f"{name}: {why}", param=name, code="unsupported_value")
    given = {name: value for name, value in fields.items() if name not in IGNORED and name not in REFUSED}
    known, unknown = split_known(ChatBody, given, strict=strict)
    return parse_model(ChatBody, known), unknown


def _resolve_choice(choice: Choice, body: ChatBody) -> Choice:
    return choice if body.tools else "auto"


def _parse_format(given: dict[str, Any] | None, left_out: LeftOut) -> _Format | None:
    if given is None:
        return None
    found = parse_model(_Format, forms.shape_format(given), "response_format", left_out)
    if found.type == "json_schema":
        param = "response_format.json_schema"
        if found.json_schema is None:
            raise DoorFault(f"{param}: is missing", param=param)
        schemas.check_schema(found.json_schema.schema_, f"{param}.schema")
    return found


def _parse_stops(given: Any) -> tuple[str, ...]:
    texts = [] if given is None else [given] if isinstance(given, str) else given
    good = isinstance(texts, list) and all(isinstance(text, str) and text for text in texts)
    if not good or len(texts) > MAX_STOPS:
        raise DoorFault(f"stop: send a string, or up to {MAX_STOPS}, none of them empty", param="stop")
    return tuple(texts)
