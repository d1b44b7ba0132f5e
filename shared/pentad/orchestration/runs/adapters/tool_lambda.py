"""Reach the tool runner through Lambda's Invoke, for what happens outside of a state machine: undo."""

import json
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.aws.invoke import THROTTLED
from pentad.aws.jitter import draw
from pentad.domain import errors
from pentad.domain.errors import PentadError, StoreUnavailable, ToolBusy, ToolFailed
from pentad.domain.reading.json_text import read_json

_BY_NAME = {leaf.__name__: leaf for leaf in errors.iter_leaves() if leaf is not errors.LimitReached}

_TRIES = 5
"""A throttled call is tried again over 15 s at most, half of it on average: it waits within API Gateway's 30."""


class LambdaTools:
    """A `ToolInvoker`.

    Args:
        client: a low-level Lambda client.
        runner: ARN of the tool runner's function.
        sleep: ``time.sleep``.
    """

    def __init__(self, client: Any, runner: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._runner = runner
        self._sleep = sleep

    def undo(self, tenant_id: str, run_id: str, step: int, index: int) -> None:
        """See `ToolInvoker`."""
        payload = {"op": "undo", "tenant": tenant_id, "run": run_id, "step": step, "index": index}
        data = json.dumps(payload).encode()
        for number in range(_TRIES):
            try:
                with translate_errors("the tool runner"):
                    return self._invoke(data)
            except (StoreUnavailable, ToolBusy) as error:
                if number == _TRIES - 1 or not _is_throttle(error):
                    raise
                self._sleep(draw() * 2.0**number)

    def _invoke(self, payload: bytes) -> None:
        reply = self._client.invoke(FunctionName=self._runner, Payload=payload)
        if reply.get("FunctionError"):
            raise _parse_error(reply["Payload"].read())


def _is_throttle(error: PentadError) -> bool:
    """Tell if Lambda had no concurrency left for the runner, or for the tool's function: then nothing was undone."""
    cause = error.__cause__
    return isinstance(error, ToolBusy) or (isinstance(cause, ClientError) and code_of(cause) == THROTTLED)


def _parse_error(payload: bytes) -> PentadError:
    """Return the error that a function ended with: one of ours by its class name, anything else as `ToolFailed`."""
    try:
        details = read_json(payload)
    except ValueError:
        details = {}
    kind = _BY_NAME.get(str(details.get("errorType"))) if isinstance(details, dict) else None
    if kind is None:
        return ToolFailed("the tool's function failed")
    return kind(str(details.get("errorMessage", "the tool's function failed")))
