"""Match events against EventBridge patterns (the filter criteria of event source mappings use the same language).

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

JsonObject = dict[str, Any]
_RANGE = 4
"""Parts of a range: two comparisons, each with its bound."""


class PatternError(ValueError):
    """A pattern that EventBridge would refuse."""


def match_event(pattern: Mapping[str, Any], event: Any) -> bool:
    """Tell whether `event` has everything that `pattern` asks for.

    Raises:
        PatternError: the pattern uses an operator that does not exist or gives it a wrong argument.
    """
    for key, wanted in pattern.items():
        if key == "$or" and isinstance(wanted, list):
            if not any(match_event(option, event) for option in wanted):
                return False
        elif not _match_field(wanted, _collect_values(event, key)):
            return False
    return True


def check_pattern(pattern: Any) -> None:
    """Check a pattern as EventBridge does when a rule is put.

    Raises:
        PatternError: it is none.
    """
    if not isinstance(pattern, Mapping):
        raise PatternError("the pattern must be an object")
    if not pattern:
        raise PatternError("the pattern must not be empty")
    for key, wanted in pattern.items():
        if key == "$or":
            if not isinstance(wanted, list) or len(wanted) < 2:
                raise PatternError("'$or' must be an array of at least two objects")
            for option in wanted:
                check_pattern(option)
        elif isinstance(wanted, Mapping):
            check_pattern(wanted)
        else:
            _check_leaves(key, wanted)


def _check_leaves(key: str, wanted: Any) -> None:
    if not isinstance(wanted, list):
        raise PatternError(f"'{key}' must be an object or an array")
    if not wanted:
        raise PatternError(f"the array of '{key}' must not be empty")
    for test in wanted:
        if isinstance(test, list):
            raise PatternError(f"the array of '{key}' must hold values, not arrays")
        if isinstance(test, Mapping):
            _check_test(test)


def _check_test(test: Mapping[str, Any]) -> None:
    if len(test) != 1:
        raise PatternError(f"a matcher has one operator, not {sorted(test)}")
    [(operator, argument)] = test.items()
    if operator == "exists":
        if not isinstance(argument, bool):
            raise PatternError("'exists' must be true or false")
    elif operator not in _OPERATORS:
        raise PatternError(f"unrecognized match type '{operator}'")
    elif operator == "numeric":
        _check_numeric(argument)
    elif operator == "cidr":
        _check_cidr(argument)
    elif operator in ("prefix", "suffix", "wildcard", "equals-ignore-case"):
        _check_text(operator, argument)
    elif operator == "anything-but":
        _check_exclusion(argument)


def _check_exclusion(argument: Any) -> None:
    """Check what `anything-but` leaves out (aws/event-ruler, `JsonRuleCompiler`)."""
    if not isinstance(argument, Mapping):
        options = argument if isinstance(argument, list) else [argument]
        texts = [isinstance(one, str) for one in options]
        numbers = [isinstance(one, int | float) and not isinstance(one, bool) for one in options]
        if not options or not (all(texts) or all(numbers)):
            raise PatternError("'anything-but' wants a value, or a list of strings only, or of numbers only")
        return
    [(operator, inner)] = argument.items() if len(argument) == 1 else [("", None)]
    if operator not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        raise PatternError(f"'anything-but' does not combine with {sorted(argument)}")
    for option in inner if isinstance(inner, list) else [inner]:
        _check_text(operator, option)


def _check_text(operator: str, argument: Any) -> None:
    if operator in ("prefix", "suffix") and isinstance(argument, Mapping) and list(argument) == ["equals-ignore-case"]:
        argument = argument["equals-ignore-case"]
    if not isinstance(argument, str):
        raise PatternError(f"'{operator}' must be a string")
    if operator == "wildcard" and "**" in argument:
        raise PatternError("'wildcard' must not have two '*' in a row")


def _check_numeric(argument: Any) -> None:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise PatternError(f"numeric wants one or two comparisons, not {argument!r}")
    for operator, bound in zip(argument[::2], argument[1::2], strict=True):
        _get_comparison(operator)
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise PatternError(f"numeric compares with a number, not {bound!r}")
    if len(argument) == _RANGE:
        low, least, high, most = argument
        if not low.startswith(">") or not high.startswith("<"):
            raise PatternError("a numeric range begins with > or >=, and ends with < or <=")
        if least >= most:
            raise PatternError("the bottom of a numeric range must be less than its top")


def _check_cidr(argument: Any) -> None:
    try:
        ipaddress.ip_network(argument, strict=False)
    except ValueError as error:
        raise PatternError(f"'cidr' must be an address range: {error}") from error


def _collect_values(event: Any, key: str) -> list[Any]:
    """Return the values under `key`: an array of objects gives those of each."""
    if isinstance(event, Mapping):
        return [event[key]] if key in event else []
    if isinstance(event, list):
        return [value for item in event for value in _collect_values(item, key)]
    return []


def _match_field(wanted: Any, values: list[Any]) -> bool:
    if isinstance(wanted, Mapping):
        if not values:
            # Nested patterns may ask for absence: {"detail": {"x": [{"exists": false}]}}.
            return match_event(wanted, {})
        return any(match_event(wanted, value) for value in values)
    if not isinstance(wanted, list):
        raise PatternError(f"a pattern's leaf must be an array, not {wanted!r}")
    leaves = [leaf for value in values for leaf in (value if isinstance(value, list) else [value])]
    return any(_match_leaves(test, leaves) for test in wanted)


def _match_leaves(test: Any, leaves: list[Any]) -> bool:
    if not isinstance(test, Mapping):
        return any(_is_equal(test, leaf) for leaf in leaves)
    if len(test) != 1:
        raise PatternError(f"a matcher has one operator, not {sorted(test)}")
    [(operator, argument)] = test.items()
    if operator == "exists":
        return bool(argument) == bool([leaf for leaf in leaves if not isinstance(leaf, Mapping)])
    if operator not in _OPERATORS:
        raise PatternError(f"unknown operator {operator!r}")
    return any(_OPERATORS[operator](argument, leaf) for leaf in leaves)


def _is_equal(wanted: Any, value: Any) -> bool:
    """Equality with JSON's types: true is not 1, "1" is not 1, but 1 is 1.0."""
    if isinstance(wanted, bool) or isinstance(value, bool) or wanted is None or value is None:
        return wanted is value
    numbers = isinstance(wanted, int | float), isinstance(value, int | float)
    return bool(wanted == value) if numbers[0] == numbers[1] else False


def _match_prefix(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        folded = str(argument["equals-ignore-case"]).casefold()
        return isinstance(value, str) and value.casefold().startswith(folded)
    return isinstance(value, str) and value.startswith(argument)


def _match_suffix(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        folded = str(argument["equals-ignore-case"]).casefold()
        return isinstance(value, str) and value.casefold().endswith(folded)
    return isinstance(value, str) and value.endswith(argument)


def _match_ignore_case(argument: Any, value: Any) -> bool:
    return isinstance(value, str) and value.casefold() == str(argument).casefold()


@lru_cache(maxsize=256)
def _build_wildcard(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\\\*|\\\\|\*)", pattern)
    special = {"*": ".*", "\\*": r"\*", "\\\\": r"\\"}
    return re.compile("".join(special.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _match_wildcard(argument: Any, value: Any) -> bool:
    return isinstance(value, str) and _build_wildcard(argument).fullmatch(value) is not None


def _match_anything_but(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        [(operator, inner)] = argument.items()
        if operator not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise PatternError(f"anything-but does not combine with {operator!r}")
        options = inner if isinstance(inner, list) else [inner]
        return not any(_OPERATORS[operator](option, value) for option in options)
    options = argument if isinstance(argument, list) else [argument]
    return not any(_is_equal(option, value) for option in options)


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def _match_numeric(argument: Any, value: Any) -> bool:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise PatternError(f"numeric wants one or two comparisons, not {argument!r}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(_get_comparison(operator)(value, bound) for operator, bound in pairs)


def _get_comparison(operator: str) -> Callable[[float, float], bool]:
    if not isinstance(operator, str) or operator not in _COMPARE:
        raise PatternError(f"unknown comparison {operator!r}")
    return _COMPARE[operator]


def _match_cidr(argument: Any, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(argument, strict=False)
    except ValueError:
        return False


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _match_prefix,
    "suffix": _match_suffix,
    "equals-ignore-case": _match_ignore_case,
    "wildcard": _match_wildcard,
    "anything-but": _match_anything_but,
    "numeric": _match_numeric,
    "cidr": _match_cidr,
}
