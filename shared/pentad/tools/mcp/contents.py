"""What a remote tool's result is for the model: its texts; of what is no text, a line that says what it was."""

import json
from typing import Any

from pentad.domain.errors import InvalidInput, ToolFailed
from pentad.domain.reading.json_text import read_json
from pentad.domain.schemas import find_violations
from pentad.tools.mcp.messages import describe_ask

Json = dict[str, Any]
_MOST_BLOCKS = 200
_NAME = 200


def read_result(result: Json, output_schema: Json | None) -> str:
    """Return the text of a result.

    Args:
        result: of ``tools/call``.
        output_schema: that the tool's structured result has to fit; None for any.

    Raises:
        ToolFailed: the tool says that it failed, the server asks for something, or the result has no known form.
    """
    kind = result.get("resultType", "complete")
    if kind == "input_required":
        raise ToolFailed(_describe_inputs(result.get("inputRequests")))
    if kind != "complete":
        raise ToolFailed("the MCP server answered with a kind of result that was not requested")
    content = result.get("content", [])
    if not isinstance(content, list) or len(content) > _MOST_BLOCKS:
        raise ToolFailed(f"the MCP tool's result has no list of at most {_MOST_BLOCKS} parts")
    parts = [_read_block(block) for block in content]
    structured = result.get("structuredContent")
    failed = result.get("isError") is True
    if not failed:
        _check_structured(structured, output_schema)
    if structured is not None and not _is_same(parts, structured):
        parts.append(json.dumps(structured, ensure_ascii=False))
    text = "\n".join(part for part in parts if part)
    if failed:
        raise ToolFailed(text or "the MCP tool failed and gave no reason")
    return text or "done"


def _describe_inputs(requests: object) -> str:
    found = requests if isinstance(requests, dict) else {}
    methods = sorted({str(one.get("method")) for one in found.values() if isinstance(one, dict)})
    return describe_ask(methods[0] if methods else "")


def _check_structured(structured: Any, schema: Json | None) -> None:
    if schema is None:
        return
    if structured is None:
        raise ToolFailed("the MCP tool's result lacks the structured part that its schema has")
    try:
        wrong = find_violations(schema, structured)
    except InvalidInput as error:
        raise ToolFailed("the MCP tool's result can't be checked against its schema") from error
    if wrong:
        raise ToolFailed(f"the MCP tool's result does not fit its schema at {wrong[0].json_path[:_NAME]}")


def _is_same(parts: list[str], structured: Any) -> bool:
    """Tell whether the one text is the structured result as JSON, as servers repeat it for older clients."""
    if len(parts) != 1:
        return False
    # A result that is no object is wrapped in one by some servers.
    said = structured["result"] if isinstance(structured, dict) and set(structured) == {"result"} else structured
    try:
        read = read_json(parts[0])
    except ValueError:
        read = parts[0]
    return bool(read in (structured, said) or parts[0] == said)


def _read_block(block: Any) -> str:
    if not isinstance(block, dict):
        return "[a part of no known form was left out]"
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        return str(block["text"])
    if kind in ("image", "audio"):
        return f"[{kind}, {_clip(block.get('mimeType'))}, about {_count_bytes(block.get('data')):,} bytes: left out]"
    if kind == "resource" and isinstance(block.get("resource"), dict):
        return _read_resource(block["resource"])
    if kind == "resource_link":
        return f"[link: {_clip(block.get('name'))} {_clip(block.get('uri'))}]"
    return "[a part of no known form was left out]"


def _read_resource(resource: Json) -> str:
    uri = _clip(resource.get("uri"))
    if isinstance(resource.get("text"), str):
        return f"[resource {uri}]\n{resource['text']}"
    size = _count_bytes(resource.get("blob"))
    return f"[resource {uri}, {_clip(resource.get('mimeType'))}, about {size:,} bytes: left out]"


def _clip(value: object) -> str:
    return " ".join(str(value or "unknown").split())[:_NAME]


def _count_bytes(data: object) -> int:
    return len(data) * 3 // 4 if isinstance(data, str) else 0
