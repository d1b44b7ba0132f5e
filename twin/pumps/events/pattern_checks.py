"""What EventBridge refuses of a pattern when it is put: JSON that is none, operators and what they are given.

Sources: the EventBridge user guide, "Comparison operators for use in event patterns", and what EventBridge compiles
patterns with (aws/event-ruler, `JsonRuleCompiler`, `WildcardParser`, `CIDR`, `ComparableNumber`).
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from twin.pumps.events.patterns import EQUAL, IGNORE_CASE, LARGEST_NUMBER, OPERATORS, PatternError, is_number

DECIMALS: Final = 6
"""Most digits of a compared number behind the point (user guide, "Numeric matching")."""

_RESERVED: Final = frozenset((*OPERATORS, "exists", "exactly"))
"""Operators: no field inside `$or` has such a name."""

_BAD_ESCAPE: Final = re.compile(r"(?:[^\\]|\\[*\\])*\\(?![*\\])", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\[*\\]")
_COMBINED: Final = ("prefix", "suffix", IGNORE_CASE, "wildcard")
_IPV4_BITS: Final = 31
_IPV6_BITS: Final = 127


class _Object(dict[str, Any]):
    """An object of a pattern; `doubled` says that a key stands twice in it. Of a field the last one counts."""

    doubled = False


def read_pattern(text: str) -> Mapping[str, Any]:
    """Read a pattern and check it as EventBridge does when a rule is put.

    Raises:
        PatternError: it is none.
    """
    try:
        pattern = json.loads(text, object_pairs_hook=_pair, parse_float=Decimal, parse_constant=_refuse_constant)
        if not isinstance(pattern, Mapping):
            raise PatternError("Filter is not an object")
        _check_object(pattern, in_or=False)
    except PatternError:
        raise
    except (ValueError, RecursionError) as error:
        raise PatternError(f"Invalid JSON: {error}") from error
    return pattern


def _pair(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    found.doubled = len(found) < len(pairs)
    return found


def _refuse_constant(name: str) -> None:
    raise PatternError(f"Non-standard token '{name}': not a JSON number")


def _check_object(pattern: Mapping[str, Any], *, in_or: bool) -> None:
    if not pattern:
        raise PatternError("Empty objects are not allowed")
    for key, wanted in pattern.items():
        if key == "$or":
            _check_options(wanted)
        elif in_or and key in _RESERVED:
            raise PatternError(f"{key} is Ruler reserved fieldName which cannot be used inside $or.")
        elif isinstance(wanted, Mapping):
            _check_object(wanted, in_or=in_or)
        elif isinstance(wanted, list):
            _check_leaves(wanted)
        else:
            raise PatternError(f'"{key}" must be an object or an array')


def _check_options(options: Any) -> None:
    if not isinstance(options, list):
        raise PatternError("It must be an Array followed with $or.")
    for option in options:
        if not isinstance(option, Mapping):
            raise PatternError("Only JSON object is allowed in array of $or relationship.")
        _check_object(option, in_or=True)
    if len(options) < 2:
        raise PatternError("There must have at least 2 Objects in $or relationship.")


def _check_leaves(wanted: list[Any]) -> None:
    if not wanted:
        raise PatternError("Empty arrays are not allowed")
    for test in wanted:
        if isinstance(test, list):
            raise PatternError("Match value must be String, number, true, false, or null")
        if isinstance(test, Mapping):
            operator, argument = _get_only(test)
            if operator not in _CHECKS:
                raise PatternError(f"Unrecognized match type {operator}")
            _CHECKS[operator](argument)


def _get_only(test: Mapping[str, Any]) -> tuple[str, Any]:
    if not test:
        raise PatternError("Match expression name not found")
    if len(test) > 1 or getattr(test, "doubled", False):
        raise PatternError("Only one key allowed in match expression")
    [(operator, argument)] = test.items()
    return operator, argument


def _check_exists(argument: Any) -> None:
    if not isinstance(argument, bool):
        raise PatternError("exists match pattern must be either true or false.")


def _check_end(argument: Any) -> None:
    """Check a prefix or a suffix."""
    if isinstance(argument, Mapping):
        operator, argument = _get_only(argument)
        if operator != IGNORE_CASE:
            raise PatternError(f"Unsupported prefix or suffix pattern: {operator}")
    _check_text(argument)


def _check_text(argument: Any) -> None:
    if not isinstance(argument, str):
        raise PatternError("match pattern must be a string")


def _check_wildcard(argument: Any) -> None:
    _check_text(argument)
    if _BAD_ESCAPE.match(argument):
        raise PatternError("Invalid escape character")
    if "**" in _ESCAPED.sub("", argument):
        raise PatternError("Consecutive wildcard characters")


def _check_exclusion(argument: Any) -> None:
    """Check what `anything-but` leaves out."""
    if not isinstance(argument, Mapping):
        options = argument if isinstance(argument, list) else [argument]
        if not options or not (all(isinstance(one, str) for one in options) or all(map(is_number, options))):
            raise PatternError(
                "Inside anything but list, either all values are number or string, mixed type is not supported"
            )
        for one in filter(is_number, options):
            _check_number(one)
        return
    operator, inner = _get_only(argument)
    if operator not in _COMBINED:
        raise PatternError(f"Unsupported anything-but pattern: {operator}")
    if inner == []:
        raise PatternError("Empty arrays are not allowed")
    for option in inner if isinstance(inner, list) else [inner]:
        _check_text(option)
        if operator == "wildcard":
            _check_wildcard(option)
        if operator in ("prefix", "suffix") and not option:
            raise PatternError("Null prefix/suffix not allowed")


def _check_number(number: float | Decimal) -> None:
    exact = Decimal(number)
    if not -LARGEST_NUMBER <= exact <= LARGEST_NUMBER:
        raise PatternError(f"Value must be between {-LARGEST_NUMBER} and {LARGEST_NUMBER}, inclusive")
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -DECIMALS and exact != round(exact, DECIMALS):
        raise PatternError(f"Only values upto {DECIMALS} decimals are supported")


def _check_numeric(argument: Any) -> None:
    if not isinstance(argument, list):
        raise PatternError("Value of numeric must be an array.")
    if not argument or not isinstance(argument[0], str):
        raise PatternError("Invalid member in numeric match")
    if argument[0] not in (EQUAL, "<", "<=", ">", ">="):
        raise PatternError(f"Unrecognized numeric range operator: {argument[0]}")
    for operator, bound in zip(argument[::2], [*argument[1::2], None], strict=False):
        if not is_number(bound):
            raise PatternError(f"Value of {operator} must be numeric")
        _check_number(bound)
    if len(argument) == 2:
        return
    if len(argument) != 4 or argument[0] not in (">", ">="):
        raise PatternError("Too many elements in numeric expression")
    if argument[2] not in ("<", "<="):
        raise PatternError(f"Bad numeric range operator: {argument[2]}")
    if argument[1] >= argument[3]:
        raise PatternError("Bottom must be less than top")


def _check_cidr(argument: Any) -> None:
    _check_text(argument)
    address, slash, bits = argument.partition("/")
    if not slash or "/" in bits:
        raise PatternError("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"\d{1,4}", bits, re.ASCII):
        raise PatternError("Malformed CIDR, mask bits must be an integer")
    try:
        version = ipaddress.ip_address(address).version
    except ValueError as error:
        raise PatternError(f"Nonstandard IP address: {address}") from error
    most = _IPV4_BITS if version == 4 else _IPV6_BITS
    if int(bits) > most:
        raise PatternError(f"IPv{version} mask bits must be < {most + 1}")


_CHECKS: Final[Mapping[str, Callable[[Any], None]]] = {
    "prefix": _check_end,
    "suffix": _check_end,
    IGNORE_CASE: _check_text,
    "wildcard": _check_wildcard,
    "anything-but": _check_exclusion,
    "numeric": _check_numeric,
    "cidr": _check_cidr,
    "exists": _check_exists,
}
