"""What OpenAPI can say of the Model Context Protocol: the envelope of JSON-RPC. What is in it is the protocol's own."""

from typing import Any

Json = dict[str, Any]
_JSON = "application/json"
_ID: Json = {"oneOf": [{"type": "string", "maxLength": 200}, {"type": "integer"}]}
_ERROR: Json = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}, "data": {}},
}
SCHEMAS: Json = {
    "McpMessage": {
        "type": "object",
        "description": "a request, or without an id a notification, of the Model Context Protocol",
        "required": ["jsonrpc", "method"],
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": _ID,
            "method": {"type": "string", "minLength": 1, "maxLength": 200},
            "params": {"type": ["object", "null"]},
        },
    },
    "McpAnswer": {
        "type": "object",
        "required": ["jsonrpc", "id"],
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"oneOf": [*_ID["oneOf"], {"type": "null"}]},
            "result": {"type": "object"},
            "error": _ERROR,
        },
    },
}
_ANSWER: Json = {"content": {_JSON: {"schema": {"$ref": "#/components/schemas/McpAnswer"}}}}


def describe(operation: Json) -> None:
    """Give the operation its request and its answers."""
    gateway: Json = {"$ref": "#/components/schemas/GatewayError"}
    schema: Json = {"oneOf": [{"$ref": "#/components/schemas/McpAnswer"}, gateway]}
    operation["responses"] |= {
        "200": {"description": "a result, or an error of a method", **_ANSWER},
        "202": {"description": "a notification was taken"},
        "default": {
            "description": "an error of JSON-RPC, or API Gateway's",
            "content": {_JSON: {"schema": schema}},
        },
    }
    message: Json = {"$ref": "#/components/schemas/McpMessage"}
    operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": message}}}
