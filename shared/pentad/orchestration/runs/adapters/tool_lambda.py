"""Reach the tool runner through Lambda's Invoke, for what happens outside of a state machine: undo."""

import json
from typing import Any

from pentad.aws.errors import translate_errors
from pentad.domain import errors
from pentad.domain.errors import PentadError, ToolFailed

_BY_NAME = {leaf.__name__: leaf for leaf in errors.iter_leaves() if leaf is not errors.LimitReached}


class LambdaTools:
    """A `ToolInvoker`.

    Args:
        client: a low-level Lambda client.
        runner: ARN of the tool runner's function.
    """

    def __init__(self, client: Any, runner: str) -> None:
        self._client = client
        self._runner = runner

    def undo(self, tenant_id: str, run_id: str, step: int, index: int) -> None:
        """See `ToolInvoker`."""
        payload = {"op": "undo", "tenant": tenant_id, "run": run_id, "step": step, "index": index}
        with translate_errors("the tool runner"):
            reply = self._client.invoke(FunctionName=self._runner, Payload=json.dumps(payload).encode())
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
