"""Which run a message of an MCP client changes: cancels it, or decides what it waits for."""

import json
from dataclasses import dataclass

from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.ids import check_id

CALL_MCP = "call_mcp"
"""The route of all messages."""
_DECIDES = "approvals:write"
_CHANGES = {"tasks/cancel": "runs:write", "tasks/update": _DECIDES}


@dataclass(frozen=True)
class McpChange:
    """What a message of a client changes.

    Attributes:
        run_id: the run.
        scope: what its sender needs.
    """

    run_id: str
    scope: str


def is_mcp_change(body: str) -> bool:
    """Tell whether a message changes a run, whether or not there is such a run."""
    try:
        find_mcp_change(body)
    except (InvalidInput, NotFound, ValueError, RecursionError):
        return False
    return True


def find_mcp_change(body: str) -> McpChange:
    """Return the run that a message cancels or decides on; one that starts, lists or reads is no act.

    Raises:
        NotFound: it is none of these.
        InvalidInput: it names no run.
        ValueError: the body is not JSON.
    """
    message = json.loads(body)
    params = message.get("params") if isinstance(message, dict) else None
    if isinstance(params, dict):
        if message.get("method") in tuple(_CHANGES):
            return McpChange(check_id("run", str(params.get("taskId"))), _CHANGES[message["method"]])
        if message.get("method") == "tools/call" and "inputResponses" in params:
            return McpChange(check_id("run", str(params.get("requestState")).partition(".")[0]), _DECIDES)
    raise NotFound("the message changes no run", field="method")
