"""What OpenAI's endpoints share: keys, errors, tools, schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from twin.simulator.neutral import Json, Problem, Tool, ToolCall, ToolChoice
from twin.simulator.schemas import adapt_patterns, find_schema_error, iter_schemas, relax_nulls
from twin.simulator.wire_text import dump_wire

MESSAGES = {
    400: "Invalid request.",
    403: "You do not have access to this resource.",
    404: "Not found.",
    500: "The server had an error while processing your request. Sorry about that!",
    502: "Bad gateway.",
    503: "The engine is currently overloaded, please try again later",
    504: "The request timed out.",
    529: "The engine is currently overloaded, please try again later",
}
FINGERPRINT = "fp_twin_simulator"
MAX_NAME, MAX_CHAT_CALL_ID, MAX_CALL_ID = 64, 40, 64
"""Characters of a tool's name, of a call's id in chat completions, and in responses (users' reports, 2026-11)."""
_NAME = re.compile(r"^[a-zA-Z0-9_-]+$")


def check_headers(headers: Mapping[str, str]) -> None:
    """Check the key.

    Raises:
        Problem: 401 as OpenAI answers.
    """
    key = headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not key:
        raise Problem(
            401,
            "You didn't provide an API key. You need to provide your API key in an Authorization header using "
            "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            kind="invalid_request_error",
        )
    if key == "invalid":
        raise Problem(401, "Incorrect API key provided: invalid.", kind="invalid_request_error", code="invalid_api_key")


def build_error(problem: Problem) -> Json:
    """Return an error body."""
    kind, code = problem.kind, problem.code
    if problem.status == 429:
        kind, code = kind or "requests", code or "rate_limit_exceeded"
    kind = kind or ("server_error" if problem.status >= 500 else "invalid_request_error")
    return {"error": {"message": problem.message, "type": kind, "param": problem.param, "code": code}}


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> Problem:
    """Return a 400."""
    return Problem(400, message, param=param, code=code)


def check_model(body: Any) -> None:
    """Check that the body is an object that names a model.

    Raises:
        Problem: 400.
    """
    if not isinstance(body, dict):
        raise bad_request("We could not parse the JSON body of your request.")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise bad_request("you must provide a model parameter")


def join_text(content: Any) -> str:
    """Return the text of a string or of a list of parts."""
    if isinstance(content, str) or content is None:
        return content or ""
    return "\n".join(str(part.get("text") or part.get("refusal") or "") for part in content if isinstance(part, dict))


def read_tools(raw: Iterable[Mapping[str, Any]], *, nested: bool) -> tuple[Tool, ...]:
    """Read function tools: nested under ``function`` in chat completions, flat in responses.

    Raises:
        Problem: 400 for other kinds of tools and for schemas that strict mode does not take.
    """
    found = []
    for index, one in enumerate(raw):
        if one.get("type") != "function":
            raise bad_request(f"tools[{index}]: only function tools are simulated", param=f"tools[{index}].type")
        function = one.get("function") or {} if nested else one
        name = str(function.get("name") or "")
        if not name:
            raise bad_request(f"Missing required parameter: 'tools[{index}].function.name'.", param=f"tools[{index}]")
        check_length(name, MAX_NAME, f"tools[{index}].{'function.' if nested else ''}name")
        if not _NAME.fullmatch(name):
            param = f"tools[{index}].{'function.' if nested else ''}name"
            words = f"string does not match pattern. Expected a string that matches the pattern '{_NAME.pattern}'."
            raise bad_request(f"Invalid '{param}': {words}", param=param, code="invalid_value")
        schema = dict(function.get("parameters") or {"type": "object", "properties": {}})
        if {"anyOf", "oneOf", "allOf", "enum", "not"} & set(schema):
            raise bad_request(
                f"Invalid schema for function '{name}': schema must have type 'object' and not have "
                "'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
                param=f"tools[{index}].parameters",
            )
        check_schema(schema, f"function '{name}'", f"tools[{index}].function.parameters")
        if function.get("strict"):
            check_strict(schema, f"function '{name}'", f"tools[{index}].function.parameters")
            schema = relax_nulls(schema)
        found.append(Tool(name, str(function.get("description") or ""), adapt_patterns(schema)))
    return tuple(found)


def check_length(text: str, most: int, param: str) -> None:
    """Check a text's length.

    Raises:
        Problem: 400 in OpenAI's words.
    """
    if len(text) > most:
        words = f"Expected a string with maximum length {most}, but got a string with length {len(text)} instead."
        raise bad_request(f"Invalid '{param}': string too long. {words}", param=param, code="string_above_max_length")


def read_choice(raw: Any, tools: tuple[Tool, ...], *, parallel: bool) -> ToolChoice:
    """Read a tool choice.

    Raises:
        Problem: 400 if it names no tool of the request.
    """
    if raw in (None, "auto"):
        return ToolChoice("auto", parallel=parallel)
    if not tools:
        raise bad_request(
            "Invalid value: 'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice"
        )
    if raw in ("none", "required"):
        return ToolChoice("none" if raw == "none" else "any", parallel=parallel)
    if not isinstance(raw, Mapping):
        raise bad_request(f"Invalid value: '{raw}'.", param="tool_choice")
    name = str((raw.get("function") or raw).get("name") or "")
    if name not in {tool.name for tool in tools}:
        raise bad_request(f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice")
    return ToolChoice("tool", name, parallel)


def read_format(form: Any, param: str) -> Json | None:
    """Return the schema of a structured output; None where there is none, as in JSON mode.

    Raises:
        Problem: 400 for a schema that strict mode does not take.
    """
    if not isinstance(form, Mapping) or form.get("type") in (None, "text"):
        return None
    if form.get("type") == "json_object":
        return None
    inner = form.get("json_schema") or form
    schema = inner.get("schema")
    if not isinstance(schema, dict) or not inner.get("name"):
        raise bad_request(f"Missing required parameter: '{param}.schema'.", param=param)
    check_schema(schema, f"response_format '{inner['name']}'", param)
    if inner.get("strict"):
        check_strict(schema, f"response_format '{inner['name']}'", param)
    read: Json = adapt_patterns(schema)
    return read


def is_json_mode(form: Any, said: str, param: str) -> bool:
    """Whether a request asks for any JSON; the conversation has to say so, as OpenAI wants.

    Raises:
        Problem: 400 if the word JSON is nowhere in it.
    """
    if not isinstance(form, Mapping) or form.get("type") != "json_object":
        return False
    if "json" not in said.lower():
        raise bad_request(
            f"'messages' must contain the word 'json' in some form, to use '{param}' of type 'json_object'.",
            param="messages",
        )
    return True


def check_schema(schema: Mapping[str, Any], subject: str, param: str) -> None:
    """Check what OpenAI asks of any schema: an object's at the top, valid, and lists that say of what.

    Raises:
        Problem: 400 in OpenAI's words.
    """
    if schema.get("type") != "object":
        kind = schema.get("type", "None")
        words = (
            f"Invalid schema for {subject}: schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
        )
        raise bad_request(words, param=param, code="invalid_function_parameters")
    for path, node in iter_schemas(schema):
        if node.get("type") == "array" and "items" not in node and "prefixItems" not in node:
            words = f"Invalid schema for {subject}: In context={path!r}, array schema missing items."
            raise bad_request(words, param=param, code="invalid_function_parameters")
    wrong = find_schema_error(schema)
    if wrong:
        raise bad_request(f"Invalid schema for {subject}: {wrong}", param=param, code="invalid_function_parameters")


# "Structured outputs", supported schemas: composition is not supported but for anyOf.
_NOT_STRICT = frozenset("oneOf allOf not dependentRequired dependentSchemas if then else patternProperties".split())


def check_strict(schema: Mapping[str, Any], subject: str, param: str, path: tuple[str, ...] = ()) -> None:
    """Check what OpenAI's strict mode asks of objects: closed, and everything required.

    Raises:
        Problem: 400 with the path of the offending object.
    """
    where = f"Invalid schema for {subject}: In context={path!r}, "
    declared = schema.get("properties") or {}
    if schema.get("type") == "object" or declared:
        if schema.get("additionalProperties") is not False:
            raise bad_request(where + "'additionalProperties' is required to be supplied and to be false.", param=param)
        missing = set(declared) - set(schema.get("required") or ())
        if missing:
            raise bad_request(
                where + "'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{sorted(missing)[0]}'.",
                param=param,
            )
    for name, one in declared.items():
        check_strict(one, subject, param, (*path, "properties", name))
    for name, one in (schema.get("$defs") or {}).items():
        check_strict(one, subject, param, (*path, "$defs", name))
    if isinstance(schema.get("items"), Mapping):
        check_strict(schema["items"], subject, param, (*path, "items"))
    for index, one in enumerate(schema.get("anyOf") or ()):
        check_strict(one, subject, param, (*path, "anyOf", str(index)))
    for name in _NOT_STRICT & schema.keys():
        raise bad_request(where + f"'{name}' is not permitted.", param=param)


def dump_arguments(call: ToolCall) -> str:
    """Return a call's arguments as the JSON text that OpenAI sends."""
    return call.raw_arguments if call.raw_arguments is not None else json.dumps(call.arguments, ensure_ascii=False)


def read_arguments(raw: Any) -> Json:
    """Return arguments that came back in a conversation; what is not an object counts as empty."""
    try:
        data = json.loads(raw or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def format_sse(payload: Json, event: str = "") -> bytes:
    """Return one server-sent event."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {dump_wire(payload)}\n\n".encode()


def iter_strings(raw: Any) -> Iterator[str]:
    """Yield the strings of a string, a list or nothing."""
    if isinstance(raw, str):
        yield raw
    else:
        yield from (str(one) for one in raw or ())
