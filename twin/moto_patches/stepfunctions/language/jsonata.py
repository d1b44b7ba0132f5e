"""JSONata in a state's fields.

What moto gets wrong: it splices variables and input into the expression's text, evaluates twice to learn the type, and
records a failed evaluation without the field's name.
"""

from typing import Any

from moto.stepfunctions.parser.asl.component.common.string.string_expression import (
    StringJSONata,
    StringVariableSample,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import ConditionStringJSONata
from moto.stepfunctions.parser.asl.component.state.exec.state_map.items.items import ItemsJSONata

from twin.machine.jsonata.evaluator import UNDEFINED, EvaluationError, UnsupportedResultError, evaluate
from twin.machine.jsonata.expressions import collect_bindings, evaluate_field, record_type_failure
from twin.moto_patches.patching import Patches


def _eval_jsonata(self: Any, env: Any) -> None:
    env.stack.append(evaluate_field(env, self.expression, getattr(self, "location", None)))


def _eval_sample(self: Any, env: Any) -> None:
    """Evaluate a variable reference such as `$name.field` in a JSONPath state."""
    try:
        result = evaluate(self.expression, collect_bindings(env, self.expression))
    except (EvaluationError, UnsupportedResultError) as exc:
        raise RuntimeError(f"The variable path '{self.expression}' could not be evaluated: {exc}") from exc
    env.stack.append(None if result is UNDEFINED else result)


def _eval_items(self: Any, env: Any) -> None:
    """Moto does not record that `Items` is not an array as a failed evaluation of the state."""
    self.string_jsonata.eval(env=env)
    if not isinstance(env.stack[-1], list):
        raise record_type_failure(env, self.string_jsonata.expression, "Items", "array", env.stack.pop())


def _eval_condition(self: Any, env: Any) -> None:
    """Moto reports a condition that is not a boolean as `States.Runtime`."""
    self.string_jsonata.eval(env=env)
    if not isinstance(env.stack[-1], bool):
        location = getattr(self.string_jsonata, "location", "Condition")
        raise record_type_failure(env, self.string_jsonata.expression, location, "boolean", env.stack.pop())


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(StringJSONata, "_eval_body", _eval_jsonata)
    patches.set_attribute(StringVariableSample, "_eval_body", _eval_sample)
    patches.set_attribute(ItemsJSONata, "_eval_body", _eval_items)
    patches.set_attribute(ConditionStringJSONata, "_eval_body", _eval_condition)
