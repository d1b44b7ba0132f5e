"""Match events against EventBridge patterns (the filter criteria of event source mappings use the same language).

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeGuard

JsonObject = dict[str, Any]
LARGEST_NUMBER: Final = 5_000_000_000
"""Largest number that `numeric` compares, with either sign (user guide, "Numeric matching")."""

EQUAL: Final = "="
IGNORE_CASE: Final = "equals-ignore-case"


class PatternError(ValueError):
    """A pattern that EventBridge would refuse."""


def match_event(pattern: Mapping[str, Any], event: Any) -> bool:
    """Tell whether `event` has everything that `pattern` asks for.

    What a pattern asks of the objects of an array, one of them has: two objects don't match it together.

    Raises:
        PatternError: the pattern uses an operator that does not exist or gives it a wrong argument.
    """
    return _match(pattern, event, event)


def _match(pattern: Mapping[str, Any], event: Any, whole: Any) -> bool:
    """Match a part of an event; what must not exist is looked for in all parts of its array, `whole`."""
    if isinstance(event, list) and event:
        return any(_match(pattern, item, whole) for item in event)
    for key, wanted in pattern.items():
        if key == "$or" and isinstance(wanted, list):
            if not any(_match(option, event, whole) for option in wanted):
                return False
        elif not _match_field(wanted, _collect_values(event, key), _collect_values(whole, key)):
            return False
    return True


def _collect_values(event: Any, key: str) -> list[Any]:
    """Return the values under `key`: an array of objects gives those of each."""
    if isinstance(event, Mapping):
        return [event[key]] if key in event else []
    if isinstance(event, list):
        return [value for item in event for value in _collect_values(item, key)]
    return []


def _match_field(wanted: Any, values: list[Any], everywhere: list[Any]) -> bool:
    if isinstance(wanted, Mapping):
        # Nested patterns may ask for absence: {"detail": {"x": [{"exists": false}]}}.
        return any(_match(wanted, value, everywhere) for value in values or [{}])
    if not isinstance(wanted, list):
        raise PatternError(f"a pattern's leaf must be an array, not {wanted!r}")
    leaves, all_leaves = list(_list_leaves(values)), list(_list_leaves(everywhere))
    return any(_match_leaves(test, leaves, all_leaves) for test in wanted)


def _list_leaves(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _list_leaves(value)
        else:
            yield value


def _match_leaves(test: Any, leaves: list[Any], everywhere: list[Any]) -> bool:
    if not isinstance(test, Mapping):
        return any(_is_equal(test, leaf) for leaf in leaves)
    if len(test) != 1:
        raise PatternError(f"a matcher has one operator, not {sorted(test)}")
    [(operator, argument)] = test.items()
    if operator == "exists":
        found = leaves if argument else everywhere
        return bool(argument) == any(not isinstance(leaf, Mapping) for leaf in found)
    if operator not in OPERATORS:
        raise PatternError(f"unknown operator {operator!r}")
    return any(OPERATORS[operator](argument, leaf) for leaf in leaves)


def is_number(value: object) -> TypeGuard[float | Decimal]:
    """Tell whether a value of JSON is a number; true is none."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_equal(wanted: Any, value: Any) -> bool:
    """Equality with JSON's types: true is not 1, "1" is not 1, but 1 is 1.0."""
    if isinstance(wanted, bool) or isinstance(value, bool) or wanted is None or value is None:
        return wanted is value
    return bool(wanted == value) if is_number(wanted) == is_number(value) else False


def _match_prefix(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        folded = str(argument[IGNORE_CASE]).casefold()
        return isinstance(value, str) and value.casefold().startswith(folded)
    return isinstance(value, str) and value.startswith(argument)


def _match_suffix(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        folded = str(argument[IGNORE_CASE]).casefold()
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
        if operator not in ("prefix", "suffix", IGNORE_CASE, "wildcard"):
            raise PatternError(f"anything-but does not combine with {operator!r}")
        options = inner if isinstance(inner, list) else [inner]
        return not any(OPERATORS[operator](option, value) for option in options)
    options = argument if isinstance(argument, list) else [argument]
    return not any(_is_equal(option, value) for option in options)


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    EQUAL: lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def _match_numeric(argument: Any, value: Any) -> bool:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise PatternError(f"numeric wants one or two comparisons, not {argument!r}")
    if not is_number(value) or not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        return False
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(_get_comparison(operator)(float(value), bound) for operator, bound in pairs)


def _get_comparison(operator: str) -> Callable[[float, float], bool]:
    if not isinstance(operator, str) or operator not in _COMPARE:
        raise PatternError(f"unknown comparison {operator!r}")
    return _COMPARE[operator]


def _match_cidr(argument: Any, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(argument, strict=False)
    except ValueError:
        return False


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _match_prefix,
    "suffix": _match_suffix,
    IGNORE_CASE: _match_ignore_case,
    "wildcard": _match_wildcard,
    "anything-but": _match_anything_but,
    "numeric": _match_numeric,
    "cidr": _match_cidr,
}
