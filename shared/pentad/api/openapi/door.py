"""The requests and answers of OpenAI's routes as schemas, so that generated clients have types for them.

They state what `pentad.api.door` reads and writes, which is a part of what OpenAI has. Fields that are not named may be
sent: docs/door.md says which are ignored and which refused.
"""

from typing import Any

from pentad.api.door.names import NAME_PATTERN
from pentad.api.door.tools import MAX_TOOLS

Json = dict[str, Any]


def _object(properties: Json, required: tuple[str, ...] = (), description: str | None = None) -> Json:
    made: Json = {"type": "object", "properties": properties, "required": list(required)}
    return made if description is None else made | {"description": description}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _const(value: str) -> Json:
    return {"type": "string", "const": value}


def _list_of(items: Json, **limits: int) -> Json:
    return {"type": "array", "items": items, **limits}


def _choose_by(field: str, names: dict[str, str]) -> Json:
    mapping = {value: f"#/components/schemas/{name}" for value, name in names.items()}
    chosen = dict.fromkeys(names.values())
    return {"oneOf": [_ref(name) for name in chosen], "discriminator": {"propertyName": field, "mapping": mapping}}


_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_MAYBE_TEXT: Json = {"type": ["string", "null"]}
_MAYBE_FLAG: Json = {"type": ["boolean", "null"]}
_MAYBE_COUNT: Json = {"type": ["integer", "null"], "minimum": 1}
_FREE: Json = {"type": "object", "additionalProperties": True}
_MODEL: Json = _TEXT | {
    "minLength": 1,
    "maxLength": 200,
    "description": "a model of the catalog, a tier, or task: and a task; GET /v1/models lists them",
}
_USER: Json = _MAYBE_TEXT | {"description": "whose budgets it counts against"}
_NAME: Json = _TEXT | {"pattern": NAME_PATTERN}
_TEXTS: Json = {"oneOf": [_TEXT, _list_of(_ref("ChatTextPart"))]}


def _describe_call(arguments: Json) -> Json:
    function = _object({"name": _TEXT, "arguments": arguments}, ("name", "arguments"))
    return _object({"id": _TEXT, "type": _const("function"), "function": function}, ("id", "type", "function"))


_PARTS: Json = {
    "ChatTextPart": _object({"type": _const("text"), "text": _TEXT}, ("type", "text")),
    "ChatImagePart": _object(
        {
            "type": _const("image_url"),
            "image_url": _object({"url": _TEXT | {"description": "a data: URL; nothing is fetched"}}, ("url",)),
        },
        ("type", "image_url"),
    ),
    "ChatFilePart": _object(
        {
            "type": _const("file"),
            "file": _object(
                {"file_data": _TEXT | {"description": "a data: URL of a PDF or plain text"}, "filename": _MAYBE_TEXT},
                ("file_data",),
            ),
        },
        ("type", "file"),
    ),
    "ChatToolCall": _describe_call(_TEXT | {"description": "a JSON object, as text"}),
    "ChatEarlierToolCall": _describe_call(
        {"type": ["string", "object"], "description": "a JSON object, as text or as it is"}
    ),
}

_MESSAGES: Json = {
    "ChatSystemMessage": _object(
        {"role": {"type": "string", "enum": ["system", "developer"]}, "content": _TEXTS}, ("role", "content")
    ),
    "ChatUserMessage": _object(
        {
            "role": _const("user"),
            "content": {
                "oneOf": [
                    _TEXT,
                    _list_of(
                        _choose_by(
                            "type", {"text": "ChatTextPart", "image_url": "ChatImagePart", "file": "ChatFilePart"}
                        )
                    ),
                ]
            },
        },
        ("role", "content"),
    ),
    "ChatAssistantMessage": _object(
        {
            "role": _const("assistant"),
            "content": {"oneOf": [_TEXT, _list_of(_ref("ChatTextPart")), {"type": "null"}]},
            "refusal": _MAYBE_TEXT,
            "tool_calls": {"type": ["array", "null"], "items": _ref("ChatEarlierToolCall")},
        },
        ("role",),
    ),
    "ChatToolMessage": _object(
        {"role": _const("tool"), "content": _TEXTS, "tool_call_id": _TEXT | {"minLength": 1}},
        ("role", "tool_call_id"),
    ),
    "ChatMessage": _choose_by(
        "role",
        {
            "system": "ChatSystemMessage",
            "developer": "ChatSystemMessage",
            "user": "ChatUserMessage",
            "assistant": "ChatAssistantMessage",
            "tool": "ChatToolMessage",
        },
    ),
}

# What can stand in one of several places, or beside others in a `oneOf`, has a name of its own: generators of clients
# make two classes of one name of it otherwise, and leave both out.
_CHOICES: Json = {
    "ChatFunctionName": _object({"name": _NAME}, ("name",)),
    "ChatNamedFunction": _object(
        {"type": _const("function"), "function": _ref("ChatFunctionName")}, ("type", "function")
    ),
    "ChatAllowedTools": _object(
        {
            "mode": {"type": "string", "enum": ["auto", "required"]},
            "tools": _list_of(_ref("ChatNamedFunction"), minItems=1, maxItems=MAX_TOOLS),
        },
        ("mode", "tools"),
    ),
    "ChatAllowedToolsChoice": _object(
        {"type": _const("allowed_tools"), "allowed_tools": _ref("ChatAllowedTools")}, ("type", "allowed_tools")
    ),
    "ChatStreamOptions": _object({"include_usage": _MAYBE_FLAG}),
}
_REQUEST: Json = {
    **_CHOICES,
    "ChatTool": _object(
        {
            "type": _const("function"),
            "function": _object(
                {"name": _NAME, "description": _MAYBE_TEXT, "parameters": _FREE | {"description": "a JSON Schema"}},
                ("name",),
            ),
        },
        ("type", "function"),
    ),
    "ChatToolChoice": {
        "oneOf": [
            {"type": "string", "enum": ["auto", "none", "required"]},
            _ref("ChatNamedFunction"),
            _ref("ChatAllowedToolsChoice"),
        ]
    },
    "ChatResponseFormat": _object(
        {
            "type": {"type": "string", "enum": ["text", "json_object", "json_schema"]},
            "json_schema": _object({"name": _TEXT, "schema": _FREE | {"description": "any object where left out"}}),
        },
        ("type",),
    ),
    "ChatCompletionRequest": _object(
        {
            "model": _MODEL,
            "messages": _list_of(_ref("ChatMessage"), minItems=1),
            "tools": {"type": ["array", "null"], "items": _ref("ChatTool"), "maxItems": MAX_TOOLS},
            "tool_choice": {"oneOf": [_ref("ChatToolChoice"), {"type": "null"}]},
            "parallel_tool_calls": _MAYBE_FLAG,
            "response_format": {"oneOf": [_ref("ChatResponseFormat"), {"type": "null"}]},
            "max_tokens": _MAYBE_COUNT,
            "max_completion_tokens": _MAYBE_COUNT,
            "stop": {"oneOf": [_TEXT, _list_of(_TEXT, maxItems=4), {"type": "null"}]},
            "stream": _MAYBE_FLAG,
            "stream_options": {"oneOf": [_ref("ChatStreamOptions"), {"type": "null"}]},
            "user": _USER,
        },
        ("model", "messages"),
        "as in OpenAI's API; what is ignored is named in the header `x-pentad-ignored` of the answer",
    ),
    "EmbeddingsRequest": _object(
        {
            "model": _MODEL,
            "input": {"oneOf": [_TEXT, _list_of(_TEXT, minItems=1)]},
            "encoding_format": {"type": ["string", "null"], "enum": ["float", "base64", None]},
            "dimensions": _MAYBE_COUNT | {"description": "numbers in a vector; the deployment's where left out"},
            "user": _USER,
        },
        ("model", "input"),
        "as in OpenAI's API",
    ),
}

_USAGE: Json = {"oneOf": [_ref("ChatUsage"), {"type": "null"}]}
_COUNTS: Json = _object(
    {
        "prompt_tokens": _COUNT,
        "completion_tokens": _COUNT,
        "total_tokens": _COUNT,
        "prompt_tokens_details": _object({"cached_tokens": _COUNT, "audio_tokens": _COUNT}),
        "completion_tokens_details": _object({"reasoning_tokens": _COUNT}),
    },
    ("prompt_tokens", "completion_tokens", "total_tokens"),
)
_FINISH: Json = {"type": "string", "enum": ["stop", "length", "tool_calls", "content_filter"]}
_HEAD: Json = {"id": _TEXT, "created": {"type": "integer"}, "model": _TEXT, "system_fingerprint": _MAYBE_TEXT}
_ANSWER: Json = {
    "ChatUsage": _COUNTS,
    "ChatCompletion": _object(
        {
            **_HEAD,
            "object": _const("chat.completion"),
            "choices": _list_of(
                _object(
                    {
                        "index": _COUNT,
                        "message": _object(
                            {
                                "role": _const("assistant"),
                                "content": _MAYBE_TEXT,
                                "refusal": _MAYBE_TEXT,
                                "tool_calls": _list_of(_ref("ChatToolCall")),
                            },
                            ("role", "content", "refusal"),
                        ),
                        "finish_reason": _FINISH,
                        "logprobs": {"type": "null"},
                    },
                    ("index", "message", "finish_reason"),
                ),
                minItems=1,
            ),
            "usage": _USAGE,
        },
        ("id", "object", "created", "model", "choices"),
    ),
    "ChatCompletionChunk": _object(
        {
            **_HEAD,
            "object": _const("chat.completion.chunk"),
            "choices": _list_of(
                _object({"index": _COUNT, "delta": _FREE, "finish_reason": {"oneOf": [_FINISH, {"type": "null"}]}})
            ),
            "usage": _USAGE,
        },
        ("id", "object", "created", "model", "choices"),
        "the data of one server-sent event; after the last comes [DONE]",
    ),
    "EmbeddingList": _object(
        {
            "object": _const("list"),
            "data": _list_of(
                _object(
                    {
                        "object": _const("embedding"),
                        "index": _COUNT,
                        "embedding": {
                            "oneOf": [
                                _list_of({"type": "number"}),
                                _TEXT | {"description": "base64 of little-endian float32"},
                            ]
                        },
                    },
                    ("object", "index", "embedding"),
                )
            ),
            "model": _TEXT,
            "usage": _object({"prompt_tokens": _COUNT, "total_tokens": _COUNT}, ("prompt_tokens", "total_tokens")),
        },
        ("object", "data", "model", "usage"),
    ),
    "Model": _object(
        {"id": _TEXT, "object": _const("model"), "created": {"type": "integer"}, "owned_by": _TEXT},
        ("id", "object", "created", "owned_by"),
    ),
    "ModelList": _object({"object": _const("list"), "data": _list_of(_ref("Model"))}, ("object", "data")),
    "OpenAIError": _object(
        {
            "error": _object(
                {"message": _TEXT, "type": _TEXT, "param": _MAYBE_TEXT, "code": _MAYBE_TEXT},
                ("message", "type", "param", "code"),
            )
        },
        ("error",),
    ),
}

SCHEMAS: Json = {**_PARTS, **_MESSAGES, **_REQUEST, **_ANSWER}
_REQUESTS = {"/v1/chat/completions": "ChatCompletionRequest", "/v1/embeddings": "EmbeddingsRequest"}
_ANSWERS = {
    "/v1/chat/completions": "ChatCompletion",
    "/v1/embeddings": "EmbeddingList",
    "/v1/models": "ModelList",
    "/v1/models/{model}": "Model",
}


def describe(path: str, operation: Json) -> None:
    """Give an operation of the door its request and its answer."""
    content: Json = {"application/json": {"schema": _ref(_ANSWERS[path])}}
    if path == "/v1/chat/completions":
        content["text/event-stream"] = {"schema": _ref("ChatCompletionChunk")}
    operation["responses"]["200"] = {"description": "as in OpenAI's API", "content": content}
    if path in _REQUESTS:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(_REQUESTS[path])}},
        }
