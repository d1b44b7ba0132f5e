"""Answers to task tokens.

What moto gets wrong: two answers to one token are both accepted; a heartbeat for a task without `HeartbeatSeconds` and
a token of an execution that has ended are invalid tokens; the cause of a failure is dropped; nothing checks that an
output is JSON.
"""

import json
from typing import Any, Final

from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
)
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from twin.machine.encoding import is_within_quota
from twin.machine.tokens import InvalidOutputError, find_endpoint, forget_tokens
from twin.moto_patches.patching import Patches

_MAX_CAUSE: Final = 32_768


_MAX_ERROR: Final = 256


def send_task_success(self: Any, task_token: str, outcome: str) -> None:
    """Answer a token with an output.

    Raises:
        InvalidOutputError: The output is not JSON or exceeds 256 KiB.
        InvalidTokenError: The token was never issued.
        TaskTimedOutError: The task has ended.
    """
    try:
        json.loads(outcome)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidOutputError(str(exc)) from exc
    if not is_within_quota(outcome):
        raise InvalidOutputError("the output exceeds the maximum of 262144 bytes")
    find_endpoint(task_token).answer(CallbackOutcomeSuccess(callback_id=task_token, output=outcome))


def send_task_failure(self: Any, task_token: str, error: str | None = None, cause: str | None = None) -> None:
    """Answer a token with an error.

    Raises:
        InvalidTokenError: The token was never issued.
        TaskTimedOutError: The task has ended.
    """
    outcome = CallbackOutcomeFailure(
        callback_id=task_token,
        error=error[:_MAX_ERROR] if error else error,
        cause=cause[:_MAX_CAUSE] if cause else cause,
    )
    find_endpoint(task_token).answer(outcome)


def send_task_heartbeat(self: Any, task_token: str) -> None:
    """Keep a task alive.

    Raises:
        InvalidTokenError: The token was never issued.
        TaskTimedOutError: The task has ended.
    """
    find_endpoint(task_token).record_heartbeat()


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    for backend in (StepFunctionsParserBackend, StepFunctionBackend):
        patches.set_attribute(backend, "send_task_success", send_task_success)
        patches.set_attribute(backend, "send_task_failure", send_task_failure)
        patches.set_attribute(backend, "send_task_heartbeat", send_task_heartbeat)
    patches.on_undo(forget_tokens)
