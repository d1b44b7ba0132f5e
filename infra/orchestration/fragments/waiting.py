"""The states in which a workflow waits for a human: ask, remind, hand on, go on."""

from collections.abc import Mapping
from typing import Any, Protocol

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.orchestration.fragments.jsonata import DATA, DONE, drop_fields, merge, wrap_jsonata
from infra.orchestration.fragments.states import build_catch, create_state
from infra.orchestration.tasks import retry


class Asks(Protocol):
    """A step that asks."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    def build_call(self, operation: str, more: Mapping[str, str] | None = None, *, refers: bool = True) -> str:
        """Return a payload."""
        ...

    def build_task(
        self, operation: str, more: Mapping[str, str] | None = None, *, refers: bool = False
    ) -> dict[str, Any]:
        """Return a task."""
        ...


_HUMAN, _WAIT = "_human", "_wait"
_ASK = "arn:aws:states:::lambda:invoke.waitForTaskToken"


class Wait:
    """The states that ask a human and wait: two, and two more each time that a reminder or the expiry is due.

    Attributes:
        first: the state that asks.
    """

    def __init__(
        self, scope: Construct, step: Asks, function: str, *, seconds: int, suffix: str, then: sfn.State
    ) -> None:
        """Make the states.

        Args:
            scope: the parent.
            step: whose they are.
            function: ARN of the workflows' function.
            seconds: the first wait.
            suffix: of the first state's name, behind the step's.
            then: where a decision leads to; its output is `rest`.
        """
        name = f"{step.name}{suffix}"
        asked = sfn.Choice.jsonata(scope, f"{name}: decided")
        # A time limit is no decision: what is due then, the function says.
        late = build_catch(asked, merge(DATA, f"{{'{_HUMAN}': {{'status': 'late'}}}}"), error="States.Timeout")
        caught = {"Catch": [*late["Catch"], *build_catch(then, DATA, error=DONE)["Catch"]]}
        ask = create_state(scope, name, _build_ask_task(step, function, seconds) | caught)
        due = create_state(
            scope,
            f"{name}: due",
            step.build_task("expire")
            | {"Output": wrap_jsonata(merge(DATA, f"{{'{_HUMAN}': $states.result.Payload}}", _build_next_wait()))},
        )
        asked.when(_build_status_condition("late"), due)
        asked.when(_build_status_condition("pending"), ask)
        asked.otherwise(then)
        ask.next(asked)
        due.next(asked)
        self.first = ask

    @staticmethod
    def strip_data() -> str:
        """Return the data without what the wait kept in it."""
        return drop_fields(DATA, [_HUMAN, _WAIT])


def _build_status_condition(status: str) -> sfn.Condition:
    return sfn.Condition.jsonata(wrap_jsonata(f"{DATA}.{_HUMAN}.status = '{status}'"))


def _build_next_wait() -> str:
    wait = "$states.result.Payload.wait"
    return f"($exists({wait}) ? {{'{_WAIT}': {wait}}} : {{}})"


def _build_ask_task(step: Asks, function: str, seconds: int) -> dict[str, Any]:
    call = step.build_call("ask", {"task_token": "$states.context.Task.Token"})
    return {
        "Type": "Task",
        "Resource": _ASK,
        "Arguments": {"FunctionName": function, "Payload": wrap_jsonata(call)},
        "Output": wrap_jsonata(merge(DATA, f"{{'{_HUMAN}': $states.result}}")),
        "TimeoutSeconds": wrap_jsonata(f"$exists({DATA}.{_WAIT}) ? {DATA}.{_WAIT} : {seconds}"),
        "Retry": retry(3),
    }
