"""States: what happens between the entered and the exited event.

What moto gets wrong: `Assign` is applied before `Output` is evaluated; times in the context object are Python objects;
every expected failure is logged as an error, with its payload; a state that was given up goes on.
"""

from datetime import UTC, datetime
from typing import Any

from moto.stepfunctions.parser.api import (
    HistoryEventType,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.fail.state_fail import StateFail
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from twin.machine.encoding import dump_json, to_iso
from twin.machine.errors import RUNTIME
from twin.machine.events import add_event, event_details
from twin.machine.lifecycle import AbandonedError
from twin.moto_patches.patching import Patches


def _enter(self: Any, env: Any) -> None:
    env.pending_assign.clear()
    env.current_state = self
    env.before_event_id = env.event_history_context.source_event_id
    entered = event_details(stateEnteredEventDetails=self._get_state_entered_event_details(env=env))
    if env.progress.enter(env, self.name, again=isinstance(self, StateFail)):
        env.entered_event_id = add_event(env, self.state_entered_event_type, entered)
    else:  # redriven: the state was entered before
        env.entered_event_id = env.event_history_context.source_event_id
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
            event_details=event_details(taskFailedEventDetails=TaskFailedEventDetails(error=RUNTIME, cause=cause)),
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
    env.progress.leave(env)
    env.current_state = None


def _eval(self: Any, env: Any) -> None:
    """Moto logs every expected failure as an error, together with the payload."""
    if env.is_running():
        field = self._field_name()
        if field is not None:
            env.next_field_name = field
        self._eval_body(env)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""

    def run_state(self: Any, env: Any) -> None:
        try:
            _eval(self, env)
        except AbandonedError:
            if env.is_running():
                raise RuntimeError("a state was abandoned in a running execution") from None

    patches.set_attribute(EvalComponent, "eval", _eval)
    patches.set_attribute(EvalComponent, "heap_key", property(lambda self: str(id(self))))
    patches.set_attribute(CommonStateField, "_eval_body", _eval_body)
    patches.set_attribute(CommonStateField, "eval", run_state)
