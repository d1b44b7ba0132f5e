"""What every fragment of a workflow is: states with one way in, the steps in it, and what they leave for others.

The data between the states is ``{step: {status, at, exported fields}}`` and, under names that begin with an underscore,
what loops keep: references and small fields only. A result's words are in the store, at its place.
"""

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import IStableStringProducer, Lazy
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from pentad.domain.declarations.workflows import STEPS

if TYPE_CHECKING:
    from infra.orchestration.fragments.flow import Flow

Known = Mapping[str, frozenset[str] | None]
"""The results that a template may refer to, with their fields; None for words only."""

DATA = "$states.input"
ROUND = "_round"
DONE = "StepDone"
"""What a step's first state fails with where a failed run has done it: its last state comes next."""
STOPS = ("LimitReached", "BudgetExceeded", "StepRejected")
"""Errors that stop the run, and say why: no branch's failure policy takes them for a failure."""


class Fragment(sfn.StateMachineFragment):
    """A part of a workflow.

    Attributes:
        flow: the workflow that it is a part of.
        name: of it.
        owned: names under which it and its parts leave something in the data.
        span: how many counts of `ROUND` it takes: the rounds of its loops, multiplied where they nest.
        first: the state to enter it by.
        ends: the states that lead out of it.
        leaf: it is one step.
        result: the step whose result it comes to; None where it has no one result.
    """

    owned: tuple[str, ...]
    span: int = 1
    first: sfn.State
    ends: Sequence[sfn.INextable]
    leaf: bool = False
    result: str | None = None

    def __init__(self, flow: "Flow", name: str) -> None:
        super().__init__(flow, flow.take(name))
        self.flow = flow
        self.name = name

    @property
    def start_state(self) -> sfn.State:
        """See StateMachineFragment."""
        return self.first

    @property
    def end_states(self) -> list[sfn.INextable]:
        """See StateMachineFragment."""
        return list(self.ends)

    @abstractmethod
    def resolve(self, known: Known) -> Known:
        """Check what the parts refer to, and return what is known after them.

        What is wrong is told to the flow.

        Args:
            known: the results that come before.
        """

    def then(self, following: sfn.IChainable) -> None:
        """Let the fragment lead to a state or to another fragment."""
        for end in self.ends:
            end.next(following)


def text(value: str | int | float | bool) -> str:
    """Return a value as a JSONata literal; JSON's are JSONata's."""
    return json.dumps(value)


def expression(body: str) -> str:
    """Return JSONata as a field of a state holds it."""
    return f"{{% {body} %}}"


def merged(*parts: str) -> str:
    """Return the expression of objects merged, the last first served."""
    return f"$merge([{', '.join(parts)}])"


def without(data: str, names: Iterable[str]) -> str:
    """Return the expression of an object without some of its fields."""
    left = list(names)
    return f"$sift({data}, function($v, $k) {{ $not($k in {json.dumps(left)}) }})" if left else data


def only(data: str, names: Iterable[str]) -> str:
    """Return the expression of some of an object's fields."""
    return f"$sift({data}, function($v, $k) {{ $k in {json.dumps(list(names))} }})"


def place(number: int) -> str:
    """Return the expression of a step's place in the round that the data is in."""
    return f"{DATA}.{ROUND} * {STEPS + 1} + {number}"


def payload(operation: str, fields: Mapping[str, str] | None = None) -> str:
    """Return the expression of a payload: which run, and some fields.

    Args:
        operation: what to do.
        fields: further fields, expressions.
    """
    ref = {name: f"${name}" for name in ("tenant", "run", "session", "agent")}
    parts = {"op": f"'{operation}'", **ref, **(fields or {})}
    return "{" + ", ".join(f"'{name}': {value}" for name, value in parts.items()) + "}"


def refs_of(names: Iterable[str]) -> str:
    """Return the expression of the places of results; one that is not there is left out."""
    return "{" + ", ".join(f"'{name}': {DATA}.{name}.at" for name in dict.fromkeys(names)) + "}"


def told(data: str) -> str:
    """Return the expression of what a catcher passes on: the error, its cause (cut), and the data as it was."""
    return (
        "{'error': $states.errorOutput.Error, 'cause': $substring($string($states.errorOutput.Cause), 0, 1000), "
        f"'data': {data}}}"
    )


def state(scope: Construct, name: str, body: Mapping[str, Any]) -> sfn.CustomState:
    """Return a state of a name that nothing else in the workflow has."""
    return sfn.CustomState(scope, name, state_json=dict(body))


@jsii.implements(IStableStringProducer)
class _NameOf:
    """The name of a state, asked for when the definition is written: states that are boxed may be renamed."""

    def __init__(self, named: sfn.State) -> None:
        self._named = named

    def produce(self) -> str:
        """Return it."""
        return self._named.state_id


def catching(
    handler: sfn.State, output: str, assign: Mapping[str, str] | None = None, *, error: str = "States.ALL"
) -> dict[str, Any]:
    """Return the fields of a state that catch every error, or one.

    CDK's ``CustomState.add_catch`` leaves out what a catcher puts out, so the catcher is written here; the handler has
    to be reached by another way as well, or CDK does not see it.

    Args:
        handler: where to go.
        output: what is passed on, an expression.
        assign: variables to set.
        error: which one.
    """
    rule: dict[str, Any] = {
        "ErrorEquals": [error],
        "Output": expression(output),
        "Next": Lazy.string(_NameOf(handler)),
    }
    return {"Catch": [rule | ({"Assign": dict(assign)} if assign else {})]}


def passing(scope: Construct, name: str, output: str) -> sfn.Pass:
    """Return a state that only changes the data."""
    return sfn.Pass.jsonata(scope, name, outputs=expression(output))
