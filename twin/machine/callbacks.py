"""Task tokens: one per attempt, found by token, waited for without polling, and spent once.

What moto gets wrong: all attempts of a retried task share one token, and from the second attempt on the wait returns
the first attempt's outcome; two answers to one token are both accepted; a heartbeat for a task without
`HeartbeatSeconds` is an invalid token; a token of an execution that has ended is an invalid token; the cause of a
failure is dropped; nothing checks that an output is JSON.
"""

import base64
import json
import secrets
import threading
import time
from collections import OrderedDict
from typing import Any, Final

from moto.core.exceptions import AWSError
from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackOutcomeFailure,
    CallbackOutcomeFailureError,
    CallbackOutcomeSuccess,
    HeartbeatTimeoutError,
)
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from twin.machine import nested
from twin.machine.encoding import is_within_quota
from twin.machine.lifecycle import AbandonedError, close_with
from twin.machine.patching import Patches

_SPENT_TOKENS: Final = 50_000
"""Spent tokens remembered, so that a late answer is told apart from a made-up token."""
_TOKEN_BYTES: Final = 96
_MAX_TOKEN: Final = 2048
_MAX_CAUSE: Final = 32_768
_MAX_ERROR: Final = 256


class TaskTimedOutError(AWSError):
    """The token's task has ended: answered, timed out, or its execution is over. AWS uses this name for all three."""

    TYPE = "TaskTimedOut"
    STATUS = 400

    def __init__(self) -> None:
        super().__init__("Task Timed Out: 'Provided task does not exist anymore'")


class InvalidTokenError(AWSError):
    """The token was never issued."""

    TYPE = "InvalidToken"
    STATUS = 400

    def __init__(self) -> None:
        super().__init__("Invalid Token: 'Invalid token'")


class InvalidOutputError(AWSError):
    """The output of a task is not JSON or is too large."""

    TYPE = "InvalidOutput"
    STATUS = 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid Output: '{reason}'")


class TaskCallback:
    """Where the answer to one token arrives."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self._changed = threading.Condition()
        self._outcome: Any = None
        self._beat = time.monotonic()
        self._left = False

    def answer(self, outcome: Any) -> None:
        """Take the answer; only the first counts.

        Raises:
            TaskTimedOutError: There was one, or nobody waits any more.
        """
        with self._changed:
            if self._left or self._outcome is not None:
                raise TaskTimedOutError
            self._outcome = outcome
            self._changed.notify_all()

    def record_heartbeat(self) -> None:
        """Start the heartbeat interval anew.

        Raises:
            TaskTimedOutError: The task has ended.
        """
        with self._changed:
            if self._left or self._outcome is not None:
                raise TaskTimedOutError
            self._beat = time.monotonic()
            self._changed.notify_all()

    def close(self) -> None:
        """Stop waiting; later answers are refused."""
        with self._changed:
            self._left = True
            self._changed.notify_all()

    def notify(self) -> None:
        """Wake the waiter to look at its other conditions."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, heartbeat_seconds: float | None, done: Any) -> Any:
        """Wait for the answer, or until `done()` holds, and return the answer or None.

        Raises:
            HeartbeatTimeoutError: No heartbeat arrived in time.
            AbandonedError: The waiting task was stopped or timed out.
        """
        with self._changed:
            self._beat = time.monotonic()
            while self._outcome is None and not done():
                if self._left:
                    raise AbandonedError
                left = None if heartbeat_seconds is None else self._beat + heartbeat_seconds - time.monotonic()
                if left is not None and left <= 0:
                    self._left = True
                    raise HeartbeatTimeoutError
                self._changed.wait(left)
            return self._outcome


_lock = threading.Lock()
_live: dict[str, TaskCallback] = {}
_spent: OrderedDict[str, str] = OrderedDict()
"""Spent tokens with their state machines."""


def find_machine_arn(token: str) -> str | None:
    """Return the ARN of the state machine whose task a token stands for, or None for a token that is not known."""
    with _lock:
        endpoint = _live.get(token)
        return endpoint.machine if endpoint is not None else _spent.get(token)


def _issue(machine: str) -> str:
    token = base64.b64encode(secrets.token_bytes(_TOKEN_BYTES)).decode()
    with _lock:
        _live[token] = TaskCallback(machine)
    return token


def _revoke(token: str) -> None:
    with _lock:
        endpoint = _live.pop(token, None)
        _spent[token] = endpoint.machine if endpoint is not None else _spent.get(token, "")
        while len(_spent) > _SPENT_TOKENS:
            _spent.popitem(last=False)
    if endpoint is not None:
        endpoint.close()


def _find(token: str) -> TaskCallback:
    with _lock:
        endpoint = _live.get(token)
        spent = token in _spent
    if endpoint is not None:
        return endpoint
    raise TaskTimedOutError if spent else InvalidTokenError


def _forget_all() -> None:
    with _lock:
        endpoints = list(_live.values())
        _live.clear()
        _spent.clear()
    for endpoint in endpoints:
        endpoint.close()


def _eval_execution(original: Any) -> Any:
    """Give each attempt its own token, which lives exactly as long as the attempt."""

    def evaluate(self: Any, env: Any) -> None:
        if not self._is_integration_pattern():
            original(self, env)
            return
        self._assert_integration_pattern_is_supported()
        context = env.states.context_object.context_object_data
        token = _issue(context["StateMachine"]["Id"])
        if ResourceCondition.WaitForTaskToken in self._supported_integration_patterns:
            context["Task"] = {"Token": token}
        close_with(env, lambda: _revoke(token))
        try:
            original(self, env)
        finally:
            _revoke(token)
            context.pop("Task", None)

    return evaluate


def _wait_for_outcome(
    self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
) -> None:
    """Wait for the answer to the token, or for the execution that was started."""
    submitted = env.stack.pop()
    token = env.states.context_object.context_object_data["Task"]["Token"]
    endpoint = _find(token)
    heartbeat = None
    if self.heartbeat:
        self.heartbeat.eval(env=env)
        heartbeat = env.stack.pop()
    result: Any = None
    if self.resource.condition == ResourceCondition.WaitForTaskToken:
        outcome = endpoint.wait(heartbeat, lambda: False)
    else:
        child = nested.Child(self, env, submitted, resource_runtime_part.region, state_credentials)
        outcome, result = child.wait(endpoint, heartbeat)
    if isinstance(outcome, CallbackOutcomeFailure):
        raise CallbackOutcomeFailureError(callback_outcome_failure=outcome)
    env.stack.append(json.loads(outcome.output) if isinstance(outcome, CallbackOutcomeSuccess) else result)


def _run_body(self: Any, env: Any) -> None:
    """Moto issues the token here, once for all attempts."""
    super(StateTaskServiceCallback, self)._eval_body(env=env)


def send_task_success(self: Any, task_token: str, outcome: str) -> None:
    """Answer a token with an output.

    Raises:
        InvalidOutputError: The output is not JSON or exceeds 256 KiB.
        InvalidTokenError: The token was never issued.
        TaskTimedOutError: The task has ended.
    """
    try:
        json.loads(outcome)
    except (TypeError, ValueError) as exc:
        raise InvalidOutputError(str(exc)) from exc
    if not is_within_quota(outcome):
        raise InvalidOutputError("the output exceeds the maximum of 262144 bytes")
    _find(task_token).answer(CallbackOutcomeSuccess(callback_id=task_token, output=outcome))


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
    _find(task_token).answer(outcome)


def send_task_heartbeat(self: Any, task_token: str) -> None:
    """Keep a task alive.

    Raises:
        InvalidTokenError: The token was never issued.
        TaskTimedOutError: The task has ended.
    """
    _find(task_token).record_heartbeat()


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
        StateTaskService,
    )

    patches.set_attribute(
        StateTaskServiceCallback, "_eval_execution", _eval_execution(StateTaskService._eval_execution)
    )
    patches.set_attribute(StateTaskServiceCallback, "_eval_body", _run_body)
    patches.set_attribute(StateTaskServiceCallback, "_eval_integration_pattern", _wait_for_outcome)
    for backend in (StepFunctionsParserBackend, StepFunctionBackend):
        patches.set_attribute(backend, "send_task_success", send_task_success)
        patches.set_attribute(backend, "send_task_failure", send_task_failure)
        patches.set_attribute(backend, "send_task_heartbeat", send_task_heartbeat)
    patches.on_undo(_forget_all)
