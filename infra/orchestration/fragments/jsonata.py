"""JSONata as the states of workflows use it: their data, and the expressions over it."""

import json
from collections.abc import Iterable, Mapping

from pentad.domain.declarations.workflows import STEPS

DATA = "$states.input"
ROUND = "_round"
DONE = "StepDone"
"""What a step's first state fails with where a failed run has done it: its last state comes next."""
STOPS = ("LimitReached", "BudgetExceeded", "StepRejected")
"""Errors that stop the run, and say why: no branch's failure policy takes them for a failure."""


def to_literal(value: str | int | float | bool) -> str:
    """Return a value as a JSONata literal; JSON's are JSONata's."""
    return json.dumps(value)


def wrap_jsonata(body: str) -> str:
    """Return JSONata as a field of a state holds it."""
    return f"{{% {body} %}}"


def merge(*parts: str) -> str:
    """Return the expression of objects merged, the last first served."""
    return f"$merge([{', '.join(parts)}])"


def drop_fields(data: str, names: Iterable[str]) -> str:
    """Return the expression of an object without some of its fields."""
    left = list(names)
    return f"$sift({data}, function($v, $k) {{ $not($k in {json.dumps(left)}) }})" if left else data


def pick_fields(data: str, names: Iterable[str]) -> str:
    """Return the expression of some of an object's fields."""
    return f"$sift({data}, function($v, $k) {{ $k in {json.dumps(list(names))} }})"


def build_place(number: int) -> str:
    """Return the expression of a step's place in the round that the data is in."""
    return f"{DATA}.{ROUND} * {STEPS + 1} + {number}"


def build_payload(operation: str, fields: Mapping[str, str] | None = None) -> str:
    """Return the expression of a payload: which run, and some fields.

    Args:
        operation: what to do.
        fields: further fields, expressions.
    """
    ref = {name: f"${name}" for name in ("tenant", "run", "session", "agent")}
    parts = {"op": f"'{operation}'", **ref, **(fields or {})}
    return "{" + ", ".join(f"'{name}': {value}" for name, value in parts.items()) + "}"


def build_refs(names: Iterable[str]) -> str:
    """Return the expression of the places of results; one that is not there is left out."""
    return "{" + ", ".join(f"'{name}': {DATA}.{name}.at" for name in dict.fromkeys(names)) + "}"


def build_catch_output(data: str) -> str:
    """Return the expression of what a catcher passes on: the error, its cause (cut), and the data as it was."""
    return (
        "{'error': $states.errorOutput.Error, 'cause': $substring($string($states.errorOutput.Cause), 0, 1000), "
        f"'data': {data}}}"
    )
