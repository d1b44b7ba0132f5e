"""Take values that break a schema in form alone for what they can only mean. Pure; a value that fits is never touched.

The table, applied where a value does not fit, at any depth, in this order:

| the schema says | what came | taken as |
|---|---|---|
| not null, not required | null | left out |
| not null, not required, no string | "" or "null" | left out |
| no such field, and no others allowed | null | left out |
| null allowed | "" , "null" or "None" where no string fits | null |
| null allowed, required | nothing | null |
| array, required, may be empty | null or nothing | [] |
| array | one value that fits an item, and is no text with a comma of any script | a list of that value |
| array or object | a string that is JSON of that kind | what the string says |
| integer | "3", "3.0", 3.0 | 3 |
| number | "2.5", "1e3", ".5", "2." | 2.5, 1000.0, 0.5, 2.0 |
| boolean | "true", "False" | true, false |
| string | a number | its digits |
| one of these values | a text that differs in case or in blanks around it, else by the rows above | that value |
| anyOf, oneOf | a value that the rows above make fit, in one way only | that |

What has two meanings stays as it came and is refused as before: "1,5", "3 days", 3.5 for an integer, 1 for a boolean, a
word for a number, "3.1" where "3.10" is listed. Numbers are compared by all their digits. The result is held against
the whole schema again; where it still does not fit, nothing is taken.
"""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from pentad.domain.errors import InvalidInput
from pentad.domain.reading.json_text import find_problem, read_marked_json
from pentad.domain.schemas import find_violations

Schema = Mapping[str, Any]

MAX_STEPS: Final = 20_000
"""Rules that are held against parts of a value; one that takes more is left as it is."""
_DEFINITIONS: Final = ("#/$defs/", "#/definitions/")
_CHECK_STEPS: Final = 10  # what making a validator costs
_MAX_DEPTH: Final = 32
_MAX_REFERENCES: Final = 16
_MAX_DIGITS: Final = 40
_MAX_JSON_CHARACTERS: Final = 100_000
_NUMBER: Final = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_NOTHING: Final = frozenset({"", "null", "none"})
_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


class _TooMuch(Exception):
    """The value has too many parts."""


def coerce(schema: Schema, value: Any, *, refused: bool = False) -> Any:
    """Return a value as its schema takes it where its form has one meaning, else the same value.

    Args:
        schema: a JSON Schema.
        value: JSON.
        refused: whoever is stricter than the schema (3.0 is an integer to JSON Schema) has refused the value.
    """
    if any(target not in ("", "#") and not target.startswith(_DEFINITIONS) for target in _list_references(schema)):
        return value
    steps = [MAX_STEPS]
    try:
        if not refused and not find_violations(schema, value):
            return value
        taken = _Coercion(schema, steps).take(schema, value)
        return value if find_violations(schema, taken) else taken
    except (InvalidInput, _TooMuch, RecursionError):
        return value


def _list_references(schema: Schema) -> set[str]:
    return set(re.findall(r'"\$(?:dynamic|recursive)?[rR]ef": "([^"]*)"', json.dumps(schema, default=str)))


class _Coercion:
    """One walk over a value.

    Args:
        root: the whole schema, for its references.
        steps: how many are left.
    """

    def __init__(self, root: Schema, steps: list[int]) -> None:
        self._root = root
        self._steps = steps

    def take(self, schema: Any, value: Any, depth: int = 0) -> Any:
        """Return a value as a schema takes it, or the same value."""
        self._steps[0] -= 1
        if self._steps[0] < 0 or depth > _MAX_DEPTH:
            raise _TooMuch
        schema = self._resolve(schema)
        if not isinstance(schema, Mapping):
            return value
        choices = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(choices, list):
            value = self._take_choice(schema, choices, value, depth)
        for part in schema.get("allOf") or ():
            value = self.take(part, value, depth + 1)
        value = self._take_type(schema, value, depth)
        if isinstance(value, dict):
            return self._take_fields(schema, value, depth)
        if isinstance(value, list):
            return self._take_items(schema, value, depth)
        return _take_listed(schema, value)

    def _resolve(self, schema: Any) -> Any:
        for _ in range(_MAX_REFERENCES):
            target = schema.get("$ref") if isinstance(schema, Mapping) else None
            if not isinstance(target, str) or not target.startswith("#"):
                return schema
            found: Any = self._root
            for part in target.removeprefix("#").strip("/").split("/"):
                if part:
                    name = part.replace("~1", "/").replace("~0", "~")
                    found = found.get(name) if isinstance(found, Mapping) else None
            rest = {name: rule for name, rule in schema.items() if name != "$ref"}
            schema = {**found, **rest} if isinstance(found, Mapping) else found
        return None

    def _fits(self, schema: Any, value: Any) -> bool:
        if not isinstance(schema, Mapping):
            return schema is not False
        self._steps[0] -= _CHECK_STEPS
        named = {name: self._root[name] for name in ("$defs", "definitions") if name in self._root}
        return not find_violations({**named, **schema}, value, steps=self._steps)

    def _take_choice(self, schema: Schema, choices: list[Any], value: Any, depth: int) -> Any:
        """Return what fits one of several schemas, where there is only one such value."""
        if any(self._fits(self._resolve(one), value) for one in choices):
            return value
        found: list[Any] = []
        for one in choices:
            taken = self.take(one, value, depth + 1)
            if self._fits(self._resolve(one), taken) and not any(_is_same(taken, other) for other in found):
                found.append(taken)
        return found[0] if len(found) == 1 else value

    def _take_type(self, schema: Schema, value: Any, depth: int) -> Any:
        kinds = _list_kinds(schema)
        if not kinds or any(_TYPES[kind](value) for kind in kinds):
            return value
        found: list[Any] = []
        for kind in kinds:
            for taken in self._iter_readings(kind, schema, value, depth):
                if not any(_is_same(taken, other) for other in found):
                    found.append(taken)
        return found[0] if len(found) == 1 else value

    def _iter_readings(self, kind: str, schema: Schema, value: Any, depth: int) -> Iterator[Any]:
        """Yield what a value of another type says where this one is asked for."""
        if kind in ("array", "object"):
            said = _read_json(value)
            if _TYPES[kind](said):
                yield said
            elif kind == "array" and said is not _UNFIT and _is_single(value):
                item = self.take(schema.get("items"), value, depth + 1)
                if self._fits(self._resolve(schema.get("items", True)), item):
                    yield [item]
            return
        read = _READINGS.get(kind)
        is_clear = kind != "string" or _tells_apart(value, _list_values(schema))
        found = read(value) if read is not None and is_clear else _ABSENT
        if found is not _ABSENT:
            yield found

    def _take_fields(self, schema: Schema, value: dict[str, Any], depth: int) -> dict[str, Any]:
        declared = schema.get("properties")
        fields: Mapping[str, Any] = declared if isinstance(declared, Mapping) else {}
        required = schema.get("required")
        needed = set(required) if isinstance(required, list) else set()
        others = schema.get("additionalProperties", True)
        taken: dict[str, Any] = {}
        for name, part in value.items():
            matched = self._find_by_pattern(schema, name)
            inner = fields.get(name, matched[0] if matched else others)
            known = name in fields
            if (known and name not in needed and self._is_left_out(inner, part)) or (
                not known and not matched and others is False and part is None
            ):
                continue
            taken[name] = self._take_part(inner, part, depth, needed=name in needed)
            for also in matched[0 if known else 1 :]:
                taken[name] = self.take(also, taken[name], depth + 1)
        for name in sorted(needed - set(taken)):
            filler = self._find_filler(fields.get(name))
            if filler is not _ABSENT:
                taken[name] = filler
        return taken

    def _find_by_pattern(self, schema: Schema, name: str) -> list[Any]:
        """Return the schemas whose pattern a field's name has."""
        patterns = schema.get("patternProperties")
        given: Mapping[str, Any] = patterns if isinstance(patterns, Mapping) else {}
        return [one for pattern, one in given.items() if self._fits({"pattern": pattern}, name)]

    def _take_part(self, schema: Any, part: Any, depth: int, *, needed: bool) -> Any:
        if part is None and needed and not self._fits(self._resolve(schema), None):
            filler = self._find_filler(schema)
            return None if filler is _ABSENT else filler
        return self.take(schema, part, depth + 1)

    def _is_left_out(self, schema: Any, part: Any) -> bool:
        """Tell if what came for a field that is not required says that it is left out."""
        if part is not None and not (isinstance(part, str) and part.strip().lower() in _NOTHING):
            return False
        found = self._resolve(schema)
        return not self._fits(found, None) and (part is None or not self._may_be_string(found))

    def _may_be_string(self, schema: Any) -> bool:
        return not isinstance(schema, Mapping) or any(self._fits(schema, text) for text in ("", "null", "none", "word"))

    def _find_filler(self, schema: Any) -> Any:
        """Return what stands for a required field that is not there: null, or an empty list."""
        found = self._resolve(schema)
        if not isinstance(found, Mapping):
            return _ABSENT
        if self._fits(found, None):
            return None
        return [] if _list_kinds(found) == ["array"] and self._fits(found, []) else _ABSENT

    def _take_items(self, schema: Schema, value: list[Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems")
        fixed: list[Any] = first if isinstance(first, list) else []
        rest = schema.get("items")
        return [
            self.take(fixed[index] if index < len(fixed) else rest, item, depth + 1) for index, item in enumerate(value)
        ]


_ABSENT: Final = object()
_UNFIT: Final = object()  # JSON that can't be passed on


def _is_single(value: Any) -> bool:
    """Tell if a value can be an only item: no list, nothing that stands for none, no text that may be several."""
    if isinstance(value, str):
        return value.strip().lower() not in _NOTHING and not any(map(_is_separator, value))
    return value is not None and not isinstance(value, list)


def _is_separator(character: str) -> bool:
    """Tell if a character may stand between items: a comma or a semicolon of any script among others."""
    if character.isascii():
        return character in ",;|\n"
    name = unicodedata.name(character, "")
    return unicodedata.category(character) == "Po" and ("COMMA" in name or "SEMICOLON" in name)


def _list_kinds(schema: Schema) -> list[str]:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return [one for one in kinds if isinstance(one, str) and one in _TYPES]


def _read_json(value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else ""
    if not text.startswith(("[", "{")) or len(text) > _MAX_JSON_CHARACTERS:
        return _ABSENT
    try:
        value = read_marked_json(text)
    except ValueError:
        return _ABSENT
    return _UNFIT if find_problem(value) else value


def _read_null(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() in _NOTHING else _ABSENT


def _read_boolean(value: Any) -> Any:
    said = value.strip().lower() if isinstance(value, str) else ""
    return {"true": True, "false": False}.get(said, _ABSENT)


def _read_number(value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else ""
    if not _NUMBER.fullmatch(text):
        return _ABSENT
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else _ABSENT


def _read_integer(value: Any) -> Any:
    number = value if isinstance(value, float) else _read_number(value)
    if not isinstance(number, float):
        return number
    is_whole = number.is_integer() and abs(number) < 2**53
    return int(number) if is_whole and _read_exact(value) == int(number) else _ABSENT  # "2.00000000000000001" is not 2


def _read_string(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _ABSENT
    text = json.dumps(value)
    return text if len(text) <= _MAX_DIGITS and "e" not in text.lower() else _ABSENT


_READINGS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "null": _read_null,
    "boolean": _read_boolean,
    "integer": _read_integer,
    "number": _read_number,
    "string": _read_string,
}


def _list_values(schema: Schema) -> list[Any]:
    listed = schema.get("enum") if "enum" in schema else [schema["const"]] if "const" in schema else None
    return listed if isinstance(listed, list) else []


def _take_listed(schema: Schema, value: Any) -> Any:
    """Return the one value of an ``enum`` or ``const`` that a value can only mean."""
    listed = _list_values(schema)
    if isinstance(value, bool) or any(_is_same(one, value) for one in listed):
        return value
    same = [one for one in listed if _may_mean(value, one)]
    return same[0] if len(same) == 1 and _tells_apart(value, listed) else value


def _may_mean(value: Any, one: Any) -> bool:
    """Tell if a value is one listed value in another form: numbers are compared by all their digits."""
    if isinstance(value, str) and isinstance(one, str):
        return value.strip().casefold() == one.strip().casefold()
    if isinstance(one, str):
        return bool(_read_string(value) == one.strip())
    exact, listed = _read_exact(value), _read_exact(one)
    return exact is not None and listed is not None and exact == listed


def _tells_apart(value: Any, listed: list[Any]) -> bool:
    """Tell if a number says which listed text it is: 3.1 may have been written as "3.1" and as "3.10"."""
    if not _TYPES["number"](value):
        return True
    exact = _read_exact(value)
    return sum(isinstance(one, str) and _read_exact(one) == exact for one in listed) <= 1


def _read_exact(value: Any) -> Decimal | None:
    """Return the number that a value is or says, with all its digits; None where there is none."""
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    if isinstance(value, float):  # The shortest digits of this float; beyond 2**53 what stood in the JSON is lost.
        return Decimal(repr(value)) if abs(value) < 2**53 else None
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
