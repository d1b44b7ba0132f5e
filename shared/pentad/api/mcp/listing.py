"""What MCP clients see: the agents, workflows and tools that ``mcp.yaml`` names, each as one tool with its schema."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from pentad.api.mcp.protocol import INVALID_PARAMS, McpFault
from pentad.domain.declarations.agents import Catalog, ToolSpec
from pentad.domain.declarations.serving import CHECK_RUN, ServedSpec
from pentad.domain.ids import RUN_PATTERN, SESSION_PATTERN
from pentad.tools.results.read import READ_RESULT
from pentad.tools.results.read import SPEC as READ_SPEC

Json = dict[str, Any]
PAGE = 50
TTL_MS = 300_000
"""What is served changes with a deployment only; a client that asks again after five minutes is soon up to date."""
_MESSAGE_CHARACTERS = 100_000
AGENT_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "message": {
            "type": "string",
            "minLength": 1,
            "maxLength": _MESSAGE_CHARACTERS,
            "description": "what is asked, in words",
        },
        "session_id": {
            "type": "string",
            "pattern": SESSION_PATTERN,
            "description": "goes on with this conversation; a new one where absent. An answer's _meta has it",
        },
    },
    "required": ["message"],
    "additionalProperties": False,
}
_CHECK_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "run_id": {"type": "string", "pattern": RUN_PATTERN, "description": "as the earlier answer names it"}
    },
    "required": ["run_id"],
    "additionalProperties": False,
}
_CHECK: Json = {
    "name": CHECK_RUN,
    "description": "Get the result of an earlier call that had not ended when it was answered, or what it "
    "waits for. Wait a while between two checks.",
    "inputSchema": _CHECK_SCHEMA,
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}
_READ: Json = {
    "name": READ_RESULT,
    "description": READ_SPEC.description + " The run_id stands beside the handle.",
    "inputSchema": READ_SPEC.input_schema
    | {
        "properties": READ_SPEC.input_schema["properties"] | _CHECK_SCHEMA["properties"],
        "required": ["run_id", *READ_SPEC.input_schema["required"]],
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}
ALWAYS: dict[str, Json] = {CHECK_RUN: _CHECK, READ_RESULT: _READ}
"""What is served beside what ``mcp.yaml`` names, once that is anything."""


class Listing:
    """The served tools.

    Args:
        catalog: says what is served.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._served = {one.name: one for one in catalog.served}

    @property
    def agents(self) -> frozenset[str]:
        """The agents and workflows whose runs a client may be told of."""
        return frozenset(one.runs for one in self._served.values())

    def get(self, name: object) -> ServedSpec:
        """Return what is served under a name.

        Raises:
            McpFault: nothing is.
        """
        found = self._served.get(name) if isinstance(name, str) else None
        if found is None:
            raise McpFault(INVALID_PARAMS, "no such tool: tools/list has those that are served")
        return found

    def list_page(self, cursor: object, *, tasks: bool) -> Json:
        """Return one page of ``tools/list``.

        Args:
            cursor: from the page before; None for the first.
            tasks: the revision says of each tool whether it can be a task.

        Raises:
            McpFault: the cursor is none of ours.
        """
        names = sorted(self._served)
        after = _read_cursor(cursor)
        rest = [name for name in names if after is None or name > after]
        tools = [self._build_tool(self._served[name], tasks=tasks) for name in rest[:PAGE]]
        if len(rest) > PAGE:
            return {"tools": tools, "nextCursor": base64.urlsafe_b64encode(rest[PAGE - 1].encode()).decode()}
        return {"tools": [*tools, *ALWAYS.values()] if names else tools}

    def _build_tool(self, served: ServedSpec, *, tasks: bool) -> Json:
        found = self._catalog.tools.get(served.name) if served.kind == "tool" else None
        shown: Json = {"name": served.name}
        if found is not None:
            shown |= {
                "description": found.description,
                "inputSchema": found.input_schema,
                "annotations": _build_hints(found),
            }
        else:
            shown |= {"description": self._describe(served), "inputSchema": AGENT_SCHEMA}
        return shown | {"execution": {"taskSupport": "optional"}} if tasks else shown

    def _describe(self, served: ServedSpec) -> str:
        specs: Mapping[str, Any] = {**self._catalog.workflows, **self._catalog.agents}
        return str(specs[served.runs].description)


def _build_hints(spec: ToolSpec) -> Json:
    """Return what the protocol has for effects: hints, which no client relies on for its safety."""
    return {
        "readOnlyHint": spec.effects == "none",
        "destructiveHint": spec.effects == "external" and not spec.reversible,
        "idempotentHint": spec.idempotent or spec.effects == "none",
        "openWorldHint": spec.effects == "external" or not spec.trusted_output,
    }


def _read_cursor(cursor: object) -> str | None:
    if cursor is None:
        return None
    try:
        return base64.b64decode(str(cursor).encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise McpFault(INVALID_PARAMS, "unknown cursor: send the one from the last tools/list") from error
