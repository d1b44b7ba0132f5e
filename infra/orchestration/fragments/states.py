"""States of workflows that CDK has no construct for, or not all fields of."""

from collections.abc import Mapping
from typing import Any

import jsii
from aws_cdk import IStableStringProducer, Lazy
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.orchestration.fragments.jsonata import wrap_jsonata


def create_state(scope: Construct, name: str, body: Mapping[str, Any]) -> sfn.CustomState:
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


def build_catch(
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
        "Output": wrap_jsonata(output),
        "Next": Lazy.string(_NameOf(handler)),
    }
    return {"Catch": [rule | ({"Assign": dict(assign)} if assign else {})]}


def create_pass(scope: Construct, name: str, output: str) -> sfn.Pass:
    """Return a state that only changes the data."""
    return sfn.Pass.jsonata(scope, name, outputs=wrap_jsonata(output))
