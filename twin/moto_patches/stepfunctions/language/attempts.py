"""Attempts of a state: retriers and catchers.

What moto gets wrong: `RetryCount` is not in the context object; a state that was stopped is retried.
"""

from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retry_outcome import RetryOutcome
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState

from twin.machine.events import add_event
from twin.moto_patches.patching import Patches


def start_counting(env: Any) -> None:
    """Put the number of retries into the context object; only states that can be retried have one."""
    env.states.context_object.context_object_data["State"]["RetryCount"] = 0


def record_failure(env: Any, event: Any) -> None:
    """Write a failed attempt into the history and make it the state's error output."""
    if event.event_type != HistoryEventType.EvaluationFailed:  # recorded where it happened
        add_event(env, event.event_type, event.event_details)
    set_error_output(env, event)


def set_error_output(env: Any, event: Any) -> None:
    """Bind `$states.errorOutput` for the state's catchers."""
    output = ExecutionState._construct_error_output_value(failure_event=event)
    env.states.set_error_output(output)
    env.states.set_result(output)


def can_retry(self: Any, env: Any, event: Any) -> bool:
    """Whether a retrier allows another attempt; waits as it says."""
    return bool(self.retry) and self._handle_retry(env=env, failure_event=event) == RetryOutcome.CanRetry


def is_caught(self: Any, env: Any, event: Any) -> bool:
    """Whether a catcher took the error."""
    if not self.catch:
        return False
    self._handle_catch(env=env, failure_event=event)
    return bool(env.stack[-1] == CatchOutcome.Caught)


def _run_execution_state(self: Any, env: Any) -> None:
    """Attempt the state until it succeeds, is caught, or has no retries left."""
    start_counting(env)
    while env.is_running():
        try:
            self._evaluate_with_timeout(env)
            return
        except Exception as exc:  # any error of an attempt has a name in the states language
            event = self._from_error(env=env, ex=exc)
            record_failure(env, event)
            if can_retry(self, env, event):
                continue
            if env.is_running() and is_caught(self, env, event):
                return
            if env.is_running():
                self._handle_uncaught(env=env, failure_event=event)


def attempt_branches(self: Any, env: Any, failed_event: Any, prepare: Any) -> None:
    """Attempt a Map or Parallel state; `prepare` runs before each one."""
    start_counting(env)
    while env.is_running():
        try:
            prepare()
            self._evaluate_with_timeout(env)
            return
        except Exception as exc:  # any error of an attempt has a name in the states language
            event = self._from_error(env=env, ex=exc)
            set_error_output(env, event)
            if can_retry(self, env, event):
                env.progress.forget_parts()
                continue
            if not env.is_running():
                return
            if failed_event == HistoryEventType.ParallelStateFailed or _has_started(event):
                add_event(env, failed_event)
            if is_caught(self, env, event):
                return
            self._handle_uncaught(env=env, failure_event=event)


def _has_started(event: Any) -> bool:
    """Whether a Map state failed in an iteration or its items, and not in a field that is read before it starts."""
    return bool(event.event_type != HistoryEventType.ExecutionFailed)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(ExecutionState, "_eval_state", _run_execution_state)
