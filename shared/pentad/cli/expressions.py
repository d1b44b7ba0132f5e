"""The evaluator that the command line gives to replays: the twin's JSONata."""

from collections.abc import Mapping
from typing import Any

from pentad.orchestration.timetravel.replay.ports import ExpressionFailed
from twin.machine.jsonata.evaluator import UNDEFINED, EvaluationError, UnsupportedResultError, evaluate


def evaluate_expression(expression: str, bindings: Mapping[str, Any]) -> Any:
    """Return the value of a JSONata expression as plain JSON data; see `Evaluator`.

    Raises:
        ExpressionFailed: it does not parse, fails, returns nothing, or returns what JSON can't hold.
    """
    try:
        value = evaluate(expression, bindings)
    except (EvaluationError, UnsupportedResultError) as error:
        raise ExpressionFailed(str(error)) from error
    if value is UNDEFINED:
        raise ExpressionFailed(f"{expression} returned nothing")
    return value
