"""Tasks that wait for a token or for an execution that they started.

What moto gets wrong: all attempts of a retried task share one token, and from the second attempt on the wait returns
the first attempt's outcome; a nested execution is looked for under another name.
"""

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackOutcomeFailure,
    CallbackOutcomeFailureError,
    CallbackOutcomeSuccess,
)

from twin.machine import nested
from twin.machine.lifecycle import close_with
from twin.machine.tokens import find_endpoint, issue_token, retire_token
from twin.moto_patches.patching import Patches


def _eval_execution(original: Any) -> Any:
    """Give each attempt its own token, which lives exactly as long as the attempt."""

    def evaluate(self: Any, env: Any) -> None:
        if not self._is_integration_pattern():
            original(self, env)
            return
        self._assert_integration_pattern_is_supported()
        context = env.states.context_object.context_object_data
        token = issue_token(context["StateMachine"]["Id"])
        if ResourceCondition.WaitForTaskToken in self._supported_integration_patterns:
            context["Task"] = {"Token": token}
        close_with(env, lambda: retire_token(token))
        try:
            original(self, env)
        finally:
            retire_token(token)
            context.pop("Task", None)

    return evaluate


def _wait_for_outcome(
    self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
) -> None:
    """Wait for the answer to the token, or for the execution that was started."""
    submitted = env.stack.pop()
    token = env.states.context_object.context_object_data["Task"]["Token"]
    endpoint = find_endpoint(token)
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


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(
        StateTaskServiceCallback, "_eval_execution", _eval_execution(StateTaskService._eval_execution)
    )
    patches.set_attribute(StateTaskServiceCallback, "_eval_body", _run_body)
    patches.set_attribute(StateTaskServiceCallback, "_eval_integration_pattern", _wait_for_outcome)
