"""Errors: which an `ErrorEquals` list catches, and how a failure is recorded.

What moto gets wrong: `States.ALL` catches terminal errors; an error whose name begins with `States.` cannot leave a
Map, a Parallel or a Fail state; a cause is worded twice; the last event is taken for the one at which
a state was entered.
"""

from typing import Any, Final

from moto.stepfunctions.parser.api import (
    ExecutionFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)

from twin.machine.errors import match_error
from twin.moto_patches.patching import Patches

_DECORATED: Final = "An error occurred while executing the state"


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

    def details(self: Any) -> Any:
        error, cause = self.extract_error_cause_pair() or (None, None)
        if cause is not None and isinstance(cause, str) and cause.startswith(_DECORATED):
            return ExecutionFailedEventDetails(error=error, cause=cause)
        if error is None and cause is None and self.failure_event.event_details:
            # A failure without a name keeps its empty fields: a catcher around it sees null, not "".
            return ExecutionFailedEventDetails(error=None, cause=None)
        return original(self)

    return details


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(ErrorEqualsDecl, "_eval_body", _match_error_equals)
    patches.set_attribute(CustomErrorName, "__init__", _init_error_name)
    patches.set_attribute(FailureEvent, "__init__", _wrap_failure_event(FailureEvent.__init__))
    original = FailureEventException.get_execution_failed_event_details
    patches.set_attribute(FailureEventException, "get_execution_failed_event_details", _wrap_execution_failed(original))
