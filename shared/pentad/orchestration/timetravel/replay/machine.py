"""Walk through a state machine's definition in this process: its own routes, with functions in place of Lambda's.

A replay follows the definition that is deployed, so a changed route is a changed run. Only what the agents' machines
are made of is understood (JSONata; Task, Choice, Map, Pass, Wait, Succeed, Fail); anything else is an error. There
are no retries: what a replay calls fails for good or not at all.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pentad.domain.errors import PentadError
from pentad.orchestration.timetravel.replay.ports import Evaluator, ExpressionFailed

Json = dict[str, Any]
MAX_TRANSITIONS = 50_000
_LAMBDA = "arn:aws:states:::lambda:invoke"
_NESTED = "arn:aws:states:::states:startExecution.sync:2"
_DESCRIBE = "arn:aws:states:::aws-sdk:sfn:describeExecution"
_MAX_ITEMS = 1000
_STATES_ALL = "States.ALL"


class MachineError(Exception):
    """A state failed, as Step Functions names it.

    Args:
        error: the error's name.
        cause: its cause.
    """

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class NotUnderstood(Exception):
    """The definition holds something that a replay can't follow; the message names it."""


Invoke = Callable[[str, Json], Any]
"""Answers a call of a function: the state's name and the payload."""


@dataclass
class _Scope:
    """What expressions see: the variables, the state's data, and where the execution is."""

    evaluate: Evaluator
    variables: Json
    context: Json
    data: Json = field(default_factory=dict)

    def render(self, template: Any) -> Any:
        """Return a template with its expressions evaluated."""
        if isinstance(template, str) and template.startswith("{%") and template.endswith("%}"):
            return self._resolve_expression(template[2:-2].strip())
        if isinstance(template, Mapping):
            return {name: self.render(part) for name, part in template.items()}
        if isinstance(template, list):
            return [self.render(part) for part in template]
        return template

    def _resolve_expression(self, text: str) -> Any:
        try:
            return self.evaluate(text, self.variables | {"states": self.data | {"context": self.context}})
        except ExpressionFailed as error:
            raise MachineError("States.QueryEvaluationError", str(error)) from error


class Machine:
    """One state machine.

    Args:
        definition: in Amazon States Language, with JSONata.
        invoke: answers its calls of functions.
        run_id: the execution's name.
        evaluate: evaluates its expressions.
    """

    def __init__(self, definition: Json, invoke: Invoke, run_id: str, evaluate: Evaluator) -> None:
        self._definition = definition
        self._invoke = invoke
        self._run_id = run_id
        self._evaluate = evaluate
        self._transitions = 0

    def run(self, given: Json) -> Any:
        """Run to the end and return the output; an execution that goes on in another one is one of them here.

        Raises:
            MachineError: it failed.
            NotUnderstood: it holds something else than an agent's machine does.
        """
        context = {"Execution": {"Name": self._run_id, "Id": self._run_id, "Input": given}}
        return self._run_states(self._definition, given, {}, context)

    def _run_states(self, block: Json, given: Any, variables: Json, context: Json) -> Any:
        name: str | None = block["StartAt"]
        value = given
        while name is not None:
            self._transitions += 1
            if self._transitions > MAX_TRANSITIONS:
                raise NotUnderstood(f"the machine does not end: it entered more than {MAX_TRANSITIONS:,} states")
            state = block["States"][name]
            here = context | {"State": {"Name": name, "RetryCount": 0}, "Task": {"Token": f"token-{self._transitions}"}}
            scope = _Scope(self._evaluate, variables, here, {"input": value})
            name, value = self._run_state(name, state, scope)
            variables = scope.variables
        return value

    def _run_state(self, name: str, state: Json, scope: _Scope) -> tuple[str | None, Any]:
        try:
            return self._enter(name, state, scope)
        except PentadError as error:
            failure = MachineError(type(error).__name__, json.dumps({"errorMessage": error.message}))
        except MachineError as error:
            failure = error
        for catch in state.get("Catch", ()):
            if {_STATES_ALL, failure.error}.intersection(catch["ErrorEquals"]):
                scope.data["errorOutput"] = {"Error": failure.error, "Cause": failure.cause}
                return _exit_state(catch, scope, scope.data["errorOutput"])
        raise failure

    def _enter(self, name: str, state: Json, scope: _Scope) -> tuple[str | None, Any]:
        match state["Type"]:
            case "Task":
                scope.data["result"] = self._run_task(name, state, scope)
                return _exit_state(state, scope, scope.data["result"])
            case "Map":
                scope.data["result"] = self._run_map(state, scope)
                return _exit_state(state, scope, scope.data["result"])
            case "Choice":
                rule = next((rule for rule in state["Choices"] if scope.render(rule["Condition"]) is True), None)
                return _exit_state(rule or {"Next": state["Default"]}, scope, scope.data["input"])
            case "Pass" | "Wait" | "Succeed":
                return _exit_state(state, scope, scope.data["input"])
            case "Fail":
                raise MachineError(str(scope.render(state.get("Error", ""))), str(scope.render(state.get("Cause", ""))))
            case other:
                raise NotUnderstood(f"a replay can't follow a state of type {other} ({name})")

    def _run_task(self, name: str, state: Json, scope: _Scope) -> Any:
        resource = str(state["Resource"])
        arguments = scope.render(state.get("Arguments", {}))
        if resource == _LAMBDA:
            return {"Payload": self._invoke(name, arguments["Payload"])}
        if resource == f"{_LAMBDA}.waitForTaskToken":
            return self._invoke(name, arguments["Payload"])
        if resource == _NESTED:
            return {"ExecutionArn": self._run_id, "Output": self.run(arguments["Input"])}
        if resource == _DESCRIBE:
            return {"ExecutionArn": self._run_id, "StateMachineArn": "the-same"}
        raise NotUnderstood(f"a replay can't follow a task of {resource} ({name})")

    def _run_map(self, state: Json, scope: _Scope) -> list[Any]:
        items = scope.render(state["Items"])
        if not isinstance(items, list) or len(items) > _MAX_ITEMS:
            raise MachineError("States.QueryEvaluationError", "Items is not an array, or it is too long")
        results = []
        for index, item in enumerate(items):
            inside = _Scope(
                self._evaluate, scope.variables, scope.context | {"Map": {"Item": {"Index": index, "Value": item}}}
            )
            inside.data = {"input": scope.data["input"]}
            value = inside.render(state["ItemSelector"]) if "ItemSelector" in state else item
            results.append(self._run_states(state["ItemProcessor"], value, dict(scope.variables), inside.context))
        return results


def _exit_state(state: Json, scope: _Scope, output: Any) -> tuple[str | None, Any]:
    """Return where a state leads and its output; ``Assign`` and ``Output`` both see what was there on entry."""
    value = scope.render(state["Output"]) if "Output" in state else output
    assigned = scope.render(state.get("Assign", {}))
    scope.variables = scope.variables | assigned
    return state.get("Next"), value
