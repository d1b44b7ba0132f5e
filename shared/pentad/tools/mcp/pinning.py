"""What was reviewed of a remote tool: its local name, its schema as a model may see it, and the hash of all of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from pentad.domain.canonical import sha256_of
from pentad.domain.declarations.remote_tools import SEPARATOR, PinnedTool
from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.domain.ids import TOOL_CHARACTERS, ToolName
from pentad.domain.schemas import check_schema_limits
from pentad.domain.values import FrozenValue
from pentad.tools.mcp.schemas import HEADER, check_form, inline_references
from pentad.tools.runtime.sanitise import clean_text

Json = dict[str, Any]
CONTEXT = "pentad_context"
"""What a call is handed beside the tool's own parameters, so none of them may have this name."""
_PASSING = frozenset({"_meta"})
"""What belongs to the answer and not to the tool. All else counts as its definition, also what is not known yet."""
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_MOST_DESCRIPTION = 16_000
_HASH = 6


class LockedTool(FrozenValue):
    """One reviewed tool as the lock has it."""

    name: ToolName = Field(description="as agents name it")
    description: str = Field(min_length=1, max_length=16_100)
    input_schema: Json
    pinned: PinnedTool


def compute_digest(tool: Mapping[str, Any]) -> str:
    """Return the hash of a tool's definition as its server gives it: of all of it but ``_meta``."""
    return sha256_of({name: value for name, value in tool.items() if name not in _PASSING and value is not None})


def name_tool(server: str, remote: str) -> str:
    """Return a remote tool's local name: the server's, two underscores, and its own in our letters.

    What is too long, or had other letters than small ones, digits and underscores, ends with a few digits of its hash:
    two tools never have one name.
    """
    plain = re.sub(r"_+", "_", re.sub(r"[^a-z0-9_]", "_", remote.lower())).strip("_") or "tool"
    name = f"{server}{SEPARATOR}{plain}"
    if plain == remote and len(name) <= TOOL_CHARACTERS:
        return name
    return f"{name[: TOOL_CHARACTERS - _HASH - 1].rstrip('_')}_{sha256_of(remote)[:_HASH]}"


def pin_tool(server: str, tool: Mapping[str, Any]) -> LockedTool:
    """Return what the lock keeps of a tool.

    Args:
        server: the server's name.
        tool: as its server lists it.

    Raises:
        ConfigurationError: a model can't be given this tool; the message says why.
    """
    remote = str(tool.get("name"))
    schema = tool.get("inputSchema")
    if not 0 < len(remote) <= 128 or not isinstance(schema, dict) or schema.get("type") != "object":
        raise ConfigurationError("its name or its inputSchema is not valid MCP")
    if CONTEXT in _list_parameters(schema):
        raise ConfigurationError(f"it has a parameter '{CONTEXT}', a name that calls need for something else")
    output = tool.get("outputSchema")
    headers = dict(_find_headers(schema, ()))
    try:
        shown = inline_references(schema)
        check_schema_limits(shown, "inputSchema")
        check_form(shown)
        if isinstance(output, dict):
            check_schema_limits(output, "outputSchema")
            check_form(output)
    except InvalidInput as error:
        raise ConfigurationError(f"its schema can't be used: {error.message}") from error
    description = clean_text(str(tool.get("description") or tool.get("title") or remote)).strip() or remote
    if len(description) > _MOST_DESCRIPTION:
        raise ConfigurationError(f"its description has more than {_MOST_DESCRIPTION:,} characters")
    pinned = PinnedTool(
        remote=remote,
        digest=compute_digest(tool),
        output_schema=output if isinstance(output, dict) else None,
        headers=headers,
    )
    return LockedTool(name=name_tool(server, remote), description=description, input_schema=shown, pinned=pinned)


def _list_parameters(schema: Mapping[str, Any]) -> Json:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _find_headers(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the arguments that a header repeats, by their path, with the header's name."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, part in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(part, dict):
            continue
        token = part.get(HEADER)
        if isinstance(token, str) and _TOKEN.fullmatch(token) and "/" not in name:
            yield "/".join((*path, name)), token
        yield from _find_headers(part, (*path, name))
