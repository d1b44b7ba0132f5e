"""A value held against its shape in the model of an API: types, what is required, lengths, ranges, characters, enums.

The words are those of AWS's common validation ("1 validation error detected: Value '' at 'name' failed to satisfy
constraint: Member must have length greater than or equal to 1").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

SHOWN_CHARACTERS: Final = 1024
"""Longest value that a message repeats."""

ELSEWHERE: Final = frozenset(("AttributeValue", "AttributeName", "KeyList"))
"""Shapes of DynamoDB's items: `twin.front.dynamodb` checks them, in the words that DynamoDB has for them."""

_NUMBERS: Final = ("integer", "long", "float", "double")
_EXPECTED: Final = {"list": list, "map": Mapping, "structure": Mapping, "boolean": bool, "string": str, "blob": str}
_JAVA: Final = {
    r"\p{ASCII}": r"[\x00-\x7f]",
    r"\p{Print}": "[ -~]",
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    r"[\w-": r"[\w\-",
}
"""What Java's expressions have and Python's don't. The models use `\\p{L}` only where digits and `_` are taken too."""


class WrongType(Exception):
    """A value is of another type than its shape."""


def find_faults(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Yield what AWS says is wrong with a value; the path is empty for a whole request.

    Raises:
        WrongType: the value is not what its shape is read from.
    """
    if _is_elsewhere(shape):
        return
    _check_type(shape, value)
    yield from (_describe(shape, value, path, told) for told, holds in _state_bounds(shape, value) if not holds)
    yield from _find_inside(shape, value, path)


def _is_elsewhere(shape: Shape) -> bool:
    return shape.name in ELSEWHERE or getattr(shape, "is_document_type", False)


def _find_inside(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from _find_in_structure(shape, value, path)
    elif isinstance(shape, ListShape):
        for number, inner in enumerate(value, 1):
            yield from find_faults(shape.member, inner, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        yield from _find_in_map(shape, value, path)


def _find_in_structure(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        inner = value.get(name)
        place = f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")
        if inner is not None:
            yield from find_faults(member, inner, place)
        elif name in shape.required_members:
            yield f"Value null at '{place}' failed to satisfy constraint: Member must not be null"


def _find_in_map(shape: MapShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the faults of a map: those of its keys and values are told of the map."""
    for part, held, inners in (("keys", shape.key, value.keys()), ("value", shape.value, value.values())):
        if _is_elsewhere(held):
            continue
        for inner in inners:
            _check_type(held, inner)
            bounds = list(_state_bounds(held, inner))
            if not all(holds for _, holds in bounds):
                told = ", ".join(told for told, _ in bounds)
                yield _describe(shape, value, path, f"Map {part} must satisfy constraint: [{told}]")
                break
    if not _is_elsewhere(shape.value):
        for key, inner in value.items():
            yield from _find_inside(shape.value, inner, f"{path}.{key}.member")


def _check_type(shape: Shape, value: Any) -> None:
    kind = shape.type_name
    if kind in _NUMBERS:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif kind == "blob":
        fits = isinstance(value, str | bytes | bytearray)
    else:
        fits = isinstance(value, _EXPECTED.get(kind, object))
    if fits:
        return
    if isinstance(value, Mapping):
        raise WrongType("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise WrongType("Start of list found where not expected")
    if kind in ("list", "map", "structure"):
        raise WrongType("Unexpected field type")
    held = "NUMBER" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__.upper()
    wanted = {"blob": "Blob", "boolean": "Boolean"}.get(kind, kind.capitalize())
    raise WrongType(f"{held.replace('STR', 'STRING').replace('BOOL', 'TRUE')}_VALUE can not be converted to {wanted}")


def _state_bounds(shape: Shape, value: Any) -> Iterator[tuple[str, bool]]:
    """Yield each bound of a shape in AWS's words, and whether the value keeps to it."""
    bounds = shape.metadata
    of_numbers = shape.type_name in _NUMBERS
    size = value if of_numbers else _measure(shape, value)
    what = "value" if of_numbers else "length"
    if size is not None and "max" in bounds:
        yield f"Member must have {what} less than or equal to {bounds['max']}", size <= bounds["max"]
    if size is not None and "min" in bounds:
        yield f"Member must have {what} greater than or equal to {bounds['min']}", size >= bounds["min"]
    if isinstance(shape, StringShape):
        if shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]", value in shape.enum
        pattern = bounds.get("pattern")
        compiled = None if pattern is None else _compile(pattern)
        if compiled is not None:
            yield f"Member must satisfy regular expression pattern: {pattern}", bool(compiled.fullmatch(value))


def _measure(shape: Shape, value: Any) -> int | None:
    """Return the length of a text in characters, of a blob in bytes, of a list or a map; None where there is none."""
    if shape.type_name == "blob" and isinstance(value, str):  # base64: six bits a character
        return len(value.rstrip("=")) * 3 // 4
    return len(value) if isinstance(value, str | bytes | bytearray | list | Mapping) else None


@cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern of the model, None where Python can't read it (other Unicode categories)."""
    translated = pattern
    for java, python in _JAVA.items():
        translated = translated.replace(java, python)
    try:
        return re.compile(translated, 0 if r"\p{L}" in pattern else re.ASCII)
    except re.error:
        return None


def _describe(shape: Shape, value: Any, path: str, told: str) -> str:
    shown = "" if shape.metadata.get("sensitive") or shape.type_name == "blob" else _show(value)
    return f"Value {shown}at '{path}' failed to satisfy constraint: {told}"


def _show(value: Any) -> str:
    text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
    return f"'{text}' " if len(text) <= SHOWN_CHARACTERS and not isinstance(value, Mapping) else ""
