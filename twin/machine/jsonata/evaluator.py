"""JSONata evaluation with real bindings: a bounded cache of parsed expressions and no text splicing.

moto declares variables by writing their values into the expression's text, so a quote in user data breaks the
expression and a crafted string becomes code. Here values are bound as values and the text is only ever the
definition's own.
"""

import copy
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from jsonata import JException, Jsonata
from jsonata.utils import Utils

from twin.machine.jsonata import corrections, functions

_CACHE_SIZE: Final = 1024
_TIMEOUT_MS: Final = 10_000
_MAX_DEPTH: Final = 1000


class EvaluationError(Exception):
    """An expression cannot be parsed or threw while it was evaluated.

    Attributes:
        code: The JSONata error code, such as `T2001`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class UnsupportedResultError(Exception):
    """An expression returned something that JSON cannot hold, such as a function."""


class Undefined:
    """The type of `UNDEFINED`, JSONata's "nothing"."""

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()

_cache: OrderedDict[str, Jsonata] = OrderedDict()
_lock = threading.Lock()


def _parse(expression: str) -> Jsonata:
    with _lock:
        found = _cache.get(expression)
        if found is not None:
            _cache.move_to_end(expression)
            return found
    corrections.check_operators(expression)
    parsed = corrections.CorrectedJsonata(expression)
    with _lock:
        _cache[expression] = parsed
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    return parsed


def _create_frame(parsed: Jsonata, bindings: Mapping[str, Any]) -> Any:
    frame = parsed.create_frame(Jsonata.static_frame)
    frame.set_runtime_bounds(_TIMEOUT_MS, _MAX_DEPTH)
    for name, corrected in corrections.CORRECTED.items():
        frame.bind(name, corrected)
    for name, function in functions.PROVIDED.items():
        frame.bind(name, Jsonata.JLambda(function))
    for name in functions.REMOVED:
        frame.bind(name, None)
    for name, value in bindings.items():
        frame.bind(name, functions.to_jsonata(value))
    return frame


def _to_json(value: Any) -> Any:
    """Return a plain copy of a result.

    Raises:
        UnsupportedResultError: It holds a function or a regular expression.
    """
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dict):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_json(value[index]) for index in range(len(value))]
    raise UnsupportedResultError(type(value).__name__)


def evaluate(expression: str, bindings: Mapping[str, Any]) -> Any:
    """Evaluate a JSONata expression.

    Args:
        expression: Source text, from a definition, never from data.
        bindings: JSON values by variable name without the dollar sign.

    Returns:
        The result as plain JSON data, or `UNDEFINED`.

    Raises:
        EvaluationError: The expression does not parse, throws, or exceeds its time or depth.
        UnsupportedResultError: The result cannot be JSON.
    """
    try:
        instance = copy.copy(_parse(expression))
        instance.environment = _create_frame(instance, bindings)
        instance.set_output_convert_nulls(False)
        # Library functions find the running evaluation here; it is per thread.
        Jsonata.CURRENT.jsonata = instance
        result = instance.evaluate(None)
    except JException as exc:
        raise EvaluationError(str(exc.error), str(exc)) from exc
    except RecursionError as exc:
        raise EvaluationError("D1011", "stack overflow") from exc
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError) as exc:
        # The library lets Python's own errors out for values that a function does not expect.
        raise EvaluationError("D3001", f"{type(exc).__name__}: {exc}") from exc
    return UNDEFINED if result is None else _to_json(result)
