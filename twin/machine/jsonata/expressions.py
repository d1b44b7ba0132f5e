"""JSONata in a state machine: bindings instead of spliced text, and failures worded and recorded as AWS does."""

import re
from collections.abc import Iterator
from typing import Any, Final

from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.outputdecl import Output
from moto.stepfunctions.parser.asl.component.common.parargs import Parargs
from moto.stepfunctions.parser.asl.component.common.string.string_expression import (
    StringJSONata,
)
from moto.stepfunctions.parser.asl.component.component import Component
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import ConditionStringJSONata
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_selector import ItemSelector
from moto.stepfunctions.parser.asl.component.state.exec.state_map.items.items import Items

from twin.machine.encoding import dump_json
from twin.machine.events import event_details
from twin.machine.jsonata.evaluator import UNDEFINED, EvaluationError, UnsupportedResultError, evaluate

_FIELDS: Final[tuple[tuple[type, str], ...]] = (
    (Output, "Output"),
    (Parargs, "Arguments"),
    (AssignDecl, "Assign"),
    (Items, "Items"),
    (ItemSelector, "ItemSelector"),
    (ConditionStringJSONata, "Condition"),
)
_PARTS: Final = ("input", "context", "result", "errorOutput")
_DIRECT: Final = re.compile(r"\$states(?!\.(?:input|context|result|errorOutput)\b)")


def record_evaluation_failure(env: Any, cause: str, location: str | None) -> FailureEventException:
    """Record a failed evaluation in the history and return the error to raise.

    AWS lets `EvaluationFailed` follow the event before the state was entered, and names the field.
    """
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    state = env.next_state_name
    decorated = (
        f"An error occurred while executing the state '{state}' (entered at the event id #{env.entered_event_id}). "
        f"{cause}"
    )
    details = EvaluationFailedEventDetails(cause=decorated, error=name.error_name, state=state)
    if location:
        details["location"] = location
    event = FailureEvent(
        env=env,
        error_name=name,
        event_type=HistoryEventType.EvaluationFailed,
        event_details=event_details(evaluationFailedEventDetails=details),
    )
    env.event_history_context.source_event_id = env.before_event_id
    env.event_manager.add_event(
        context=env.event_history_context, event_type=event.event_type, event_details=event.event_details
    )
    return FailureEventException(failure_event=event)


def collect_bindings(env: Any, expression: str) -> dict[str, Any]:
    """Return the variables and the parts of `$states` that an expression mentions."""
    store = env.variable_store
    found = {
        name: value
        for scope in (store._outer_scope, store._inner_scope)
        for name, value in scope.items()
        if name in expression
    }
    if "$states" in expression:
        whole = bool(_DIRECT.search(expression))
        data = env.states._states_data
        found["states"] = {
            key: data[key]
            for key in _PARTS
            if (whole or f"$states.{key}" in expression) and (key in ("input", "context") or data.get(key) is not None)
        }
    return found


def evaluate_field(env: Any, expression: str, location: str | None) -> Any:
    """Evaluate an expression of a state machine against the state's data and variables.

    Raises:
        FailureEventException: `States.QueryEvaluationError`, recorded in the history.
    """
    field = f" specified for the field '{location}'" if location else ""
    subject = f"The JSONata expression '{expression}'{field}"
    try:
        result = evaluate(expression, collect_bindings(env, expression))
    except EvaluationError as exc:
        raise record_evaluation_failure(env, f"{subject} threw an error during evaluation. {exc}", location) from exc
    except UnsupportedResultError as exc:
        raise record_evaluation_failure(env, f"{subject} returned an unsupported result type.", location) from exc
    if result is UNDEFINED:
        raise record_evaluation_failure(env, f"{subject} returned nothing (undefined).", location)
    return result


def record_type_failure(env: Any, expression: str, location: str, expected: str, value: Any) -> FailureEventException:
    """Return the error for a result of the wrong type."""
    name = {bool: "boolean", str: "string", dict: "object", list: "array", type(None): "null"}.get(
        type(value), "number"
    )
    return record_evaluation_failure(
        env,
        f"The JSONata expression '{expression}' specified for the field '{location}' returned an unexpected result "
        f"type. Expected '{expected}', but was '{name}' for value: {dump_json(value)}",
        location,
    )


def _iter_children(component: Any) -> Iterator[tuple[str, Any]]:
    for value in vars(component).values():
        if isinstance(value, Component):
            yield "", value
        elif isinstance(value, dict):
            yield from (("", item) for item in value.values() if isinstance(item, Component))
        elif isinstance(value, list):
            yield from ((f"[{index}]", item) for index, item in enumerate(value) if isinstance(item, Component))


def _resolve_location(component: Any, location: str) -> str:
    for kind, name in _FIELDS:
        if isinstance(component, kind):
            return name
    identifier = getattr(component, "identifier", None)
    return f"{location}/{identifier}" if location and isinstance(identifier, str) else location


def mark_locations(component: Any, location: str = "") -> None:
    """Write into every expression below `component` the field where it stands, such as `Arguments/Payload`."""
    if isinstance(component, StringJSONata):
        vars(component)["location"] = location or None
        return
    here = _resolve_location(component, location)
    for suffix, child in _iter_children(component):
        # The list of an object's bindings has positions that are no part of the field's name.
        named = isinstance(getattr(child, "identifier", None), str) or hasattr(child, "binding")
        mark_locations(child, here if named or not here else here + suffix)
