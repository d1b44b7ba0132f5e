"""Reach a tool's function through Lambda's Invoke, for what happens outside of a state machine: undo."""

import json
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain import errors
from pentad.domain.errors import NotFound, PentadError, ToolFailed

_BY_NAME = {leaf.__name__: leaf for leaf in errors.iter_leaves() if leaf is not errors.LimitReached}


class LambdaTools:
    """A `ToolInvoker`.

    Args:
        client: a low-level Lambda client.
        prefix: name of the tools' functions up to the tool's name.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def undo(self, tenant_id: str, run_id: str, step: int, index: int, tool: str) -> None:
        """See `ToolInvoker`."""
        payload = {"op": "undo", "tenant": tenant_id, "run": run_id, "step": step, "index": index}
        with translate_errors("the tool's function"):
            try:
                reply = self._client.invoke(
                    FunctionName=f"{self._prefix}{tool.replace('_', '-')}", Payload=json.dumps(payload).encode()
                )
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
                raise NotFound(f"the tool '{tool}' has no function", field="undo_token") from error
        if reply.get("FunctionError"):
            raise _parse_error(reply["Payload"].read())


def _parse_error(payload: bytes) -> PentadError:
    """Return the error that a function ended with: one of ours by its class name, anything else as `ToolFailed`."""
    try:
        details = json.loads(payload)
    except ValueError:
        details = {}
    kind = _BY_NAME.get(str(details.get("errorType"))) if isinstance(details, dict) else None
    if kind is None:
        return ToolFailed("the tool's function failed")
    return kind(str(details.get("errorMessage", "the tool's function failed")))
