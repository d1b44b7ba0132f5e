"""Attribute values as DynamoDB takes them: numbers, sets, nesting; and their sizes.

The limits are those of the developer guide, "Quotas" and "Data types"; the words are DynamoDB's own where they are
known.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any, Final

NUMBER_DIGITS: Final = 38
"""Most significant digits of a number."""

NESTING_LEVELS: Final = 32
"""Deepest nesting of lists and maps."""

NAME_BYTES: Final = 65_535
"""Longest name of an attribute, in UTF-8."""

ITEM_BYTES: Final = 409_600
"""Largest item, with its attributes' names."""

MOST_DIGITS: Final = 400
"""Between the largest and the smallest number are 256 digits."""

_LARGEST: Final = Decimal("9.9999999999999999999999999999999999999E+125")
_SMALLEST: Final = Decimal("1E-130")
_SETS: Final = {"SS": "string", "NS": "number", "BS": "binary"}
_TEXTS: Final = ("S", "N", "B")


class InvalidRequest(Exception):
    """DynamoDB refuses the request; `code` is the error's name."""

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code


def check_attributes(attributes: Mapping[str, Any]) -> None:
    """Check the values of an item, a key or an expression.

    Raises:
        InvalidRequest: one is not a value that DynamoDB stores.
    """
    for name, value in attributes.items():
        if len(name.encode()) > NAME_BYTES:
            raise InvalidRequest(
                "One or more parameter values were invalid: "
                f"Attribute name is too large, must be less than {NAME_BYTES + 1} bytes"
            )
        check_value(value)


def check_value(value: Any, depth: int = 0) -> None:
    """Check one value.

    Raises:
        InvalidRequest: it is not a value that DynamoDB stores.
    """
    if not isinstance(value, Mapping) or not value:
        raise InvalidRequest("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    if len(value) > 1:
        raise InvalidRequest(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
        )
    [(kind, content)] = value.items()
    if kind in _TEXTS:
        _check_text(kind, content)
    elif kind in _SETS:
        _check_set(kind, content)
    elif kind == "NULL" and content is not True:
        raise InvalidRequest(
            "One or more parameter values were invalid: Null attribute value types must have the value of true"
        )
    elif kind in ("L", "M"):
        if depth >= NESTING_LEVELS:
            raise InvalidRequest("Nesting Levels have exceeded supported limits")
        for inner in content.values() if kind == "M" else content:
            check_value(inner, depth + 1)


def _check_text(kind: str, content: Any) -> None:
    if not isinstance(content, str):
        raise InvalidRequest(f"{type(content).__name__} cannot be converted to String", "SerializationException")
    if kind == "N":
        parse_number(content)
    elif kind == "B":
        decode_binary(content)


def _check_set(kind: str, content: list[Any]) -> None:
    if not content:
        raise InvalidRequest(
            f"One or more parameter values were invalid: An {_SETS[kind]} set  may not be empty"  # two blanks, as AWS
        )
    for member in content:
        _check_text(kind[0], member)
    members = [parse_number(member) for member in content] if kind == "NS" else content
    if len(set(members)) != len(members):
        shown = ", ".join(content)
        raise InvalidRequest(
            f"One or more parameter values were invalid: Input collection [{shown}] contains duplicates."
        )


def decode_binary(content: str) -> bytes:
    """Return what a binary value holds.

    Raises:
        InvalidRequest: it is no base64.
    """
    try:
        return base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidRequest("Base64 encoded value is not valid", "SerializationException") from error


def parse_number(text: str) -> Decimal:
    """Return a number.

    Raises:
        InvalidRequest: it is none, has too many digits or is out of range.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or "_" in text or not text.isascii():
        raise InvalidRequest(f"The parameter cannot be converted to a numeric value: {text}")
    digits = "".join(str(digit) for digit in number.as_tuple().digits).strip("0")
    if len(digits) > NUMBER_DIGITS:
        raise InvalidRequest(f"Attempting to store more than {NUMBER_DIGITS} significant digits in a Number")
    size = number.copy_abs()  # all of its digits: `abs` rounds to the 28 of Python's context
    if size > _LARGEST:
        raise InvalidRequest("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if number and size < _SMALLEST:
        raise InvalidRequest(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    return number


def write_number(text: str) -> str:
    """Return a number as DynamoDB shows it: no exponent, and no zeros that say nothing.

    Developer guide, "Data types": "Leading and trailing zeroes are trimmed."
    """
    number = parse_number(text)
    with localcontext(prec=MOST_DIGITS):
        return f"{number.normalize():f}" if number else "0"


def write_numbers(content: Any) -> Any:
    """Return a request with each number as DynamoDB keeps it; the same object where nothing is to change."""
    if isinstance(content, Mapping):
        if len(content) == 1 and isinstance(content.get("N"), str):
            return content if (shown := write_number(content["N"])) == content["N"] else {"N": shown}
        if len(content) == 1 and isinstance(content.get("NS"), list):
            return {"NS": [write_number(member) for member in content["NS"]]}
        changed = {name: write_numbers(inner) for name, inner in content.items()}
        return changed if any(changed[name] is not inner for name, inner in content.items()) else content
    if isinstance(content, list):
        several = [write_numbers(inner) for inner in content]
        return several if any(new is not old for new, old in zip(several, content, strict=True)) else content
    return content


def measure_item(item: Mapping[str, Any]) -> int:
    """Return the size of an item in bytes: names and values (developer guide, "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + measure_value(value) for name, value in item.items())


def measure_value(value: Mapping[str, Any]) -> int:
    """Return the size of a value in bytes."""
    [(kind, content)] = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(decode_binary(content))
    if kind == "N":
        return (len(content.strip("-+0.")) + 1) // 2 + 1
    if kind in _SETS:
        return sum(measure_value({kind[0]: member}) for member in content)
    if kind == "L":
        return 3 + sum(1 + measure_value(inner) for inner in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + measure_value(inner) for name, inner in content.items())
    return 1
