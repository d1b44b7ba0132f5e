"""What a state does between its entered and its exited event, and how its errors are named and matched.

What moto gets wrong: `Assign` is applied before `Output` is evaluated; times in the context object are Python objects
or in another form; a matched choice rule also gets the default's `Assign` and `Output` where both lead to one state;
no matching rule is `States.Runtime`; an error whose name begins with `States.` cannot leave a Map, a Parallel or a
Fail state; `States.ALL` catches terminal errors; a heartbeat lowers the task's time limit to 60 seconds.
"""

from datetime import UTC, datetime
from typing import Any, Final

from moto.stepfunctions.parser.api import (
    ExecutionFailedEventDetails,
    HistoryEventType,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.path.result_path import ResultPath
from moto.stepfunctions.parser.asl.component.common.retry.retry_outcome import RetryOutcome
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.choice.choice_rule import ChoiceRule
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from twin.machine.encoding import dump_json, to_iso
from twin.machine.events import add_event, event_details
from twin.machine.patching import Patches

_ALL: Final = "States.ALL"
_TASK_FAILED: Final = "States.TaskFailed"
_TIMEOUT: Final = "States.Timeout"
_HEARTBEAT: Final = "States.HeartbeatTimeout"
_RUNTIME: Final = "States.Runtime"
_TERMINAL: Final = frozenset({_RUNTIME, "States.DataLimitExceeded"})
_DECORATED: Final = "An error occurred while executing the state"


def _enter(self: Any, env: Any) -> None:
    env.pending_assign.clear()
    env.current_state = self
    env.before_event_id = env.event_history_context.source_event_id
    entered = event_details(stateEnteredEventDetails=self._get_state_entered_event_details(env=env))
    env.entered_event_id = add_event(env, self.state_entered_event_type, entered)
    env.states.context_object.context_object_data["State"] = {
        "EnteredTime": to_iso(datetime.now(UTC)),
        "Name": self.name,
    }


def _make_path_error(env: Any, error: Any) -> FailureEventException:
    cause = (
        f"The JSONPath '{error.json_path}' specified for the field '{env.next_field_name}' "
        f"could not be found in the input '{dump_json(error.data)}'"
    )
    return FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=StatesErrorNameType.StatesRuntime),
            event_type=HistoryEventType.TaskFailed,
            event_details=event_details(taskFailedEventDetails=TaskFailedEventDetails(error=_RUNTIME, cause=cause)),
        )
    )


def _eval_body(self: Any, env: Any) -> None:
    """Evaluate a state; variables change only after its output was computed."""
    _enter(self, env)
    self._eval_state_input(env=env)
    try:
        self._eval_state(env)
    except NoSuchJsonPathError as exc:
        raise _make_path_error(env, exc) from exc
    if not env.is_running():
        return
    self._eval_state_output(env=env)
    for name, value in env.pending_assign.items():
        env.variable_store.set(variable_identifier=name, variable_value=value)
    env.pending_assign.clear()
    self._verify_size_quota(env=env, value=env.states.get_input())
    self._set_next(env)
    if self.state_exited_event_type is not None:
        exited = event_details(stateExitedEventDetails=self._get_state_exited_event_details(env=env))
        add_event(env, self.state_exited_event_type, exited)
    env.current_state = None


def _collect_assignments(self: Any, env: Any) -> None:
    """Evaluate `Assign` against the data at entry and keep it until the output is known."""
    for binding in self.declaration_bindings:
        binding.eval(env=env)
        env.pending_assign.update(env.stack.pop())


def _dump_variables(self: Any) -> dict[str, str]:
    """Moto writes a string without escaping what JSON escapes."""
    return {name: dump_json(self.get(name)) for name in sorted(self._declaration_tracing)}


def _wrap_result_path(original: Any) -> Any:
    """Moto parses the default path `$` anew each time, which costs more than the state."""

    def evaluate(self: Any, env: Any) -> None:
        if self.result_path_src != ResultPath.DEFAULT_PATH:
            original(self, env)

    return evaluate


def _choose_next(self: Any, env: Any) -> None:
    for rule in self.choices_decl.rules:
        rule.eval(env)
        if env.stack.pop() is True:
            env.stack.append((rule.next_stmt.name, True))
            return
    if self.default_state is None:
        name = StatesErrorNameType.StatesNoChoiceMatched
        raise FailureEventException(
            failure_event=FailureEvent(
                env=env,
                error_name=StatesErrorName(typ=name),
                event_type=HistoryEventType.ExecutionFailed,
                event_details=event_details(
                    executionFailedEventDetails=ExecutionFailedEventDetails(
                        error=name.to_name(),
                        cause=f"Failed to transition out of the state '{self.name}'. The state's choices did not match "
                        "the input and there is no default.",
                    )
                ),
            )
        )
    env.stack.append((self.default_state.state_name, False))


def _apply_choice_output(self: Any, env: Any) -> None:
    next_state_name, matched = env.stack.pop()
    if not matched:
        if self.assign_decl:
            self.assign_decl.eval(env=env)
        if self.output:
            self.output.eval(env=env)
    if self._is_language_query_jsonpath():
        if self.output_path:
            self.output_path.eval(env=env)
        else:
            env.states.reset(input_value=env.stack.pop())
    env.next_state_name = next_state_name


def _apply_choice_rule(self: Any, env: Any) -> None:
    self.comparison.eval(env)
    if env.stack[-1] is not True:
        return
    if self.assign:
        self.assign.eval(env=env)
    if self.output:
        self.output.eval(env=env)


def match_error(names: set[str | None], error: str | None) -> bool:
    """Whether an `ErrorEquals` list catches an error.

    Source: AWS, "Handling errors in Step Functions workflows": `States.TaskFailed` matches every task error but
    `States.Timeout`; `States.ALL` matches neither `States.Runtime` nor `States.DataLimitExceeded`; a missed heartbeat
    has a name of its own, while recordings report it as `States.Timeout`.
    """
    if error in names:
        return True
    if error == _TIMEOUT and _HEARTBEAT in names:
        return True
    if _ALL in names:
        return error not in _TERMINAL
    return _TASK_FAILED in names and not (error or "").startswith("States.")


def _match_error_equals(self: Any, env: Any) -> None:
    error: ErrorName | None = env.stack.pop()
    names = {name.error_name for name in self.error_names}
    env.stack.append(match_error(names, error.error_name if error is not None else None))


def _init_error_name(self: Any, error_name: str | None) -> None:
    """Moto refuses reserved names here, although reserved errors pass through Map, Parallel and Fail states."""
    ErrorName.__init__(self, error_name=error_name)


def _wrap_failure_event(original: Any) -> Any:
    """Moto takes the last event for the one at which the state was entered."""

    def __init__(self: Any, env: Any, *args: Any, **kwargs: Any) -> None:
        original(self, env, *args, **kwargs)
        self.source_event_id = env.entered_event_id

    return __init__


def _wrap_execution_failed(original: Any) -> Any:
    """Moto words the cause twice where an error passes through a Map or Parallel state."""

    def get_details(self: Any) -> Any:
        error, cause = self.extract_error_cause_pair() or (None, None)
        if cause is not None and isinstance(cause, str) and cause.startswith(_DECORATED):
            return ExecutionFailedEventDetails(error=error, cause=cause)
        if error is None and cause is None and self.failure_event.event_details:
            # A failure without a name keeps its empty fields: a catcher around it sees null, not "".
            return ExecutionFailedEventDetails(error=None, cause=None)
        return original(self)

    return get_details


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


def _wrap_state_props(original: Any) -> Any:
    """Moto gives a task with a heartbeat and no time limit 60 seconds; AWS gives it the usual 99,999,999."""

    def from_state_props(self: Any, state_props: Any) -> None:
        original(self, state_props)
        timeout = self.timeout
        if isinstance(timeout, TimeoutSeconds) and timeout.is_default:
            self.timeout = TimeoutSeconds(timeout_seconds=TimeoutSeconds.DEFAULT_TIMEOUT_SECONDS)

    return from_state_props


def _eval(self: Any, env: Any) -> None:
    """Moto logs every expected failure as an error, together with the payload."""
    if env.is_running():
        field = self._field_name()
        if field is not None:
            env.next_field_name = field
        self._eval_body(env)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(EvalComponent, "eval", _eval)
    patches.set_attribute(EvalComponent, "heap_key", property(lambda self: str(id(self))))
    patches.set_attribute(CommonStateField, "_eval_body", _eval_body)
    patches.set_attribute(AssignDecl, "_eval_body", _collect_assignments)
    patches.set_attribute(VariableStore, "get_assigned_variables", _dump_variables)
    patches.set_attribute(ResultPath, "_eval_body", _wrap_result_path(ResultPath._eval_body))
    patches.set_attribute(StateChoice, "_eval_state", _choose_next)
    patches.set_attribute(StateChoice, "_eval_state_output", _apply_choice_output)
    patches.set_attribute(ChoiceRule, "_eval_body", _apply_choice_rule)
    patches.set_attribute(ErrorEqualsDecl, "_eval_body", _match_error_equals)
    patches.set_attribute(CustomErrorName, "__init__", _init_error_name)
    patches.set_attribute(FailureEvent, "__init__", _wrap_failure_event(FailureEvent.__init__))
    original = FailureEventException.get_execution_failed_event_details
    patches.set_attribute(FailureEventException, "get_execution_failed_event_details", _wrap_execution_failed(original))
    patches.set_attribute(ExecutionState, "_eval_state", _run_execution_state)
    patches.set_attribute(ExecutionState, "from_state_props", _wrap_state_props(ExecutionState.from_state_props))
