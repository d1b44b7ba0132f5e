"""Which run a message of an MCP client changes: cancels it, or decides what it waits for."""

import json

from pentad.domain.errors import NotFound
from pentad.domain.ids import check_id

_CHANGES = ("tasks/cancel", "tasks/update")


def find_run_of_mcp(body: str) -> str:
    """Return the run that a message cancels or decides on; one that starts, lists or reads is no act.

    Raises:
        NotFound: it is none of these.
        InvalidInput: it names no run.
        ValueError: the body is not JSON.
    """
    message = json.loads(body)
    params = message.get("params") if isinstance(message, dict) else None
    if isinstance(params, dict):
        if message.get("method") in _CHANGES:
            return check_id("run", str(params.get("taskId")))
        if message.get("method") == "tools/call" and "inputResponses" in params:
            return check_id("run", str(params.get("requestState")).partition(".")[0])
    raise NotFound("the message changes no run", field="method")
