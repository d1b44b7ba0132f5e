"""JSON Schemas that somebody else wrote, held against values in bounded time.

A schema may come from a caller, a tool's author or a graph, a value from a model or a human. So a schema has limits
(`check_schema_limits`), its patterns are matched by RE2, whose time grows with the text alone, and holding a value
against it ends after a number of steps (`find_violations`). Both libraries are imported where they are used:
jsonschema takes 0.2 s to load, and most calls need neither.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pentad.domain.errors import InvalidInput

if TYPE_CHECKING:
    from jsonschema import ValidationError

MAX_SCHEMA_PARTS = 1_000
"""Schemas within one schema: each property is one. A check of one takes 1 ms."""
MAX_REQUEST_PARTS = 3_000
"""The same of all schemas of one request."""
MAX_DEFERRED_PARTS = 30_000
"""The same of the tools that a request keeps back to be found; no provider gets them."""
MAX_SCHEMA_BYTES = 200_000
MAX_SCHEMA_DEPTH = 32
MAX_CHOICES = 1_000
"""Values of one ``enum``."""
MAX_PATTERN_CHARACTERS = 500
MAX_PATTERNS = 100
MAX_STEPS = 50_000
"""Rules that are held against parts of one value; some 30 microseconds each."""

Schema = Mapping[str, Any]
_MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_DATA = frozenset({"const", "enum", "default", "examples", "example", "required", "dependentRequired"})
_EVALUATED = {"unevaluatedProperties", "patternProperties"}
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_PYTHON_AND_ECMA = re.compile(r"(?<!\\)((?:\\\\)*)\\u([0-9a-fA-F]{4})")
_PATTERN_FIX = "leave out lookaheads, look-behinds and back references; repeat at most 1,000 times (RE2's syntax)"
_steps_left: ContextVar[list[int]] = ContextVar("steps_left")


class _StepsUsedUp(Exception):
    """A value took too many steps."""


class LinearPattern:
    """A regular expression that is searched for in time that grows with the text alone.

    Args:
        pattern: in RE2's syntax; four hexadecimal digits behind a backslash and u name a character, as in ECMAScript.

    Raises:
        InvalidInput: it is none, too long, or needs what can't be matched in linear time.
    """

    def __init__(self, pattern: str) -> None:
        import re2

        if len(pattern) > MAX_PATTERN_CHARACTERS:
            raise InvalidInput(
                f"the pattern has more than {MAX_PATTERN_CHARACTERS} characters", field="pattern", fix="shorten it"
            )
        options = re2.Options()
        options.log_errors = False
        try:
            self._compiled = re2.compile(_PYTHON_AND_ECMA.sub(r"\1\\x{\2}", pattern), options)
        except (re2.error, UnicodeEncodeError) as error:
            raise InvalidInput(
                "the pattern is not a regular expression that is matched in linear time",
                field="pattern",
                fix=_PATTERN_FIX,
            ) from error

    def is_in(self, text: str) -> bool:
        """Tell if the pattern matches somewhere in a text."""
        return self._compiled.search(text.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=512)
def compile_linear(pattern: str) -> LinearPattern:
    """Return a pattern, compiled once.

    Raises:
        InvalidInput: see `LinearPattern`.
    """
    return LinearPattern(pattern)


def check_schema_limits(schema: Schema, field: str) -> int:
    """Return how many schemas a schema holds, if it is within the limits.

    Args:
        schema: the schema; whether its keywords mean anything is not checked here.
        field: what it is called in the request; the error's field begins with it.

    Raises:
        InvalidInput: it is larger or deeper than allowed, refers to another document, or has a pattern that can't be
            matched in linear time; the field says where.
    """
    parts, patterns = 0, 0
    for place, node, depth in _iter_schemas(schema, field):
        parts += 1
        if parts > MAX_SCHEMA_PARTS:
            raise _refuse("the schema", f"has more than {MAX_SCHEMA_PARTS:,} parts", field)
        if depth > MAX_SCHEMA_DEPTH:
            raise _refuse("the schema", f"is nested deeper than {MAX_SCHEMA_DEPTH} levels", field)
        patterns += _check_patterns(node, place)
        if patterns > MAX_PATTERNS:
            raise _refuse("the schema", f"has more than {MAX_PATTERNS} patterns", field)
        _check_choices_and_references(node, place)
    _check_evaluated(schema, field)
    if len(json.dumps(schema, default=str)) > MAX_SCHEMA_BYTES:  # after the depth, which json would stumble over
        raise _refuse("the schema", f"has more than {MAX_SCHEMA_BYTES:,} bytes", field)
    return parts


def find_violations(schema: Schema, value: Any, *, steps: list[int] | None = None) -> list["ValidationError"]:
    """Return how a value breaks a schema; none where it fits.

    Args:
        schema: the schema.
        value: JSON.
        steps: one number, the steps that are left of several calls; each has its own where none is given.

    Raises:
        InvalidInput: the value takes too many steps to hold against it, or a pattern can't be matched.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    _check_evaluated(schema, "schema")
    validator = _bound_steps(validator_for(schema, default=Draft202012Validator))(schema)
    token = _steps_left.set([MAX_STEPS] if steps is None else steps)
    try:
        return list(validator.iter_errors(value))
    except (_StepsUsedUp, RecursionError) as error:
        raise InvalidInput(
            f"the value takes more than {MAX_STEPS:,} steps to hold against its schema",
            field="schema",
            fix="make the value or the schema smaller",
        ) from error
    finally:
        _steps_left.reset(token)


def _iter_schemas(root: Schema, field: str) -> Iterator[tuple[str, Schema, int]]:
    """Yield each schema in a schema with its place and depth; breadth does not matter, the caller stops."""
    waiting: list[tuple[str, Any, int]] = [(field, root, 1)]
    while waiting:
        place, node, depth = waiting.pop()
        if not isinstance(node, Mapping):
            continue
        yield place, node, depth
        for keyword, value in node.items():
            if keyword in _DATA:
                continue
            where = f"{place}.{keyword}"[-300:]
            if keyword in _MAPS and isinstance(value, Mapping):
                waiting.extend((f"{where}.{str(name)[:64]}", one, depth + 1) for name, one in value.items())
            elif isinstance(value, list):
                waiting.extend((f"{where}[{index}]", one, depth + 1) for index, one in enumerate(value))
            else:
                waiting.append((where, value, depth + 1))


def _check_patterns(node: Schema, place: str) -> int:
    """Return how many patterns a schema has of its own."""
    named = node.get("patternProperties")
    found = [(f"{place}.patternProperties", one) for one in (named if isinstance(named, Mapping) else ())]
    if isinstance(node.get("pattern"), str):
        found.append((f"{place}.pattern", node["pattern"]))
    for where, pattern in found:
        try:
            compile_linear(pattern)
        except InvalidInput as error:
            raise InvalidInput(error.message, field=where, fix=error.fix) from error
    return len(found)


def _check_choices_and_references(node: Schema, place: str) -> None:
    choices = node.get("enum")
    if isinstance(choices, list) and len(choices) > MAX_CHOICES:
        raise _refuse("the schema", f"has more than {MAX_CHOICES:,} choices", f"{place}.enum")
    for keyword in _REFERENCES:
        target = node.get(keyword)
        if isinstance(target, str) and not _leads_to_schema(target):
            raise InvalidInput(
                "a reference must lead to a schema within the schema", field=f"{place}.{keyword}", fix="use #/$defs/..."
            )


def _leads_to_schema(target: str) -> bool:
    """Tell if a reference leads to what `_iter_schemas` has seen: what stands as data has not been held against limits.

    An anchor (``#name``) does: jsonschema looks for anchors in schemas alone. A nested ``$id`` moves where a pointer
    begins, from one schema to another.
    """
    if not target.startswith("#/"):
        return target.startswith("#")
    parts = [unquote(part).replace("~1", "/").replace("~0", "~") for part in target[2:].split("/")]
    index = 0
    while index < len(parts):
        if parts[index] in _DATA:
            return False
        index += 2 if parts[index] in _MAPS else 1  # behind a map of schemas comes a name
    return True


def _check_evaluated(schema: Schema, field: str) -> None:
    """Return if no rule finds properties by Python's own matching, which may never end.

    ``unevaluatedProperties`` does, with the patterns of whatever schema it gets to.
    """
    found, waiting = set(), [schema]
    while waiting:
        node: Any = waiting.pop()
        if isinstance(node, Mapping):
            found |= node.keys() & _EVALUATED
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    if found == _EVALUATED:
        raise InvalidInput(
            "the schema has 'unevaluatedProperties' beside 'patternProperties'",
            field=field,
            fix="use 'additionalProperties'",
        )


def _refuse(what: str, problem: str, field: str) -> InvalidInput:
    return InvalidInput(f"{what} {problem}", field=field, fix="make it smaller")


@lru_cache(maxsize=16)
def _bound_steps(kind: Any) -> Any:
    """Return a validator class whose every rule counts as a step, and whose patterns are matched by RE2."""
    from jsonschema.validators import extend

    own = {
        "pattern": _check_pattern,
        "patternProperties": _check_pattern_properties,
        "additionalProperties": _extend_additional_properties(kind.VALIDATORS.get("additionalProperties")),
        "uniqueItems": _check_unique_items,
    }
    rules = {name: own.get(name, rule) for name, rule in kind.VALIDATORS.items()}
    counted = {name: _count_step(rule) for name, rule in rules.items()}
    return extend(kind, counted)  # type: ignore[no-untyped-call]


def _count_step(rule: Callable[..., Any]) -> Callable[..., Any]:
    def take_step(validator: Any, expected: Any, instance: Any, schema: Any) -> Any:
        left = _steps_left.get()
        # A list or a word of choices takes a step an entry.
        left[0] -= 1 + (len(instance) // 100 if isinstance(instance, list | dict | str) else 0)
        if left[0] < 0:
            raise _StepsUsedUp
        return rule(validator, expected, instance, schema)

    return take_step


def _check_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator["ValidationError"]:
    from jsonschema import ValidationError

    if isinstance(instance, str) and not compile_linear(pattern).is_in(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _check_pattern_properties(validator: Any, expected: Schema, instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, subschema in expected.items():
        compiled = compile_linear(pattern)
        for name, value in instance.items():
            if compiled.is_in(name):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _extend_additional_properties(plain: Callable[..., Any] | None) -> Callable[..., Any]:
    def check(validator: Any, expected: Any, instance: Any, schema: Schema) -> Iterator[Any]:
        from jsonschema import ValidationError

        patterns = schema.get("patternProperties")
        if not patterns:
            yield from (plain(validator, expected, instance, schema) or ()) if plain is not None else ()
            return
        if not isinstance(instance, dict):
            return
        known, compiled = schema.get("properties", {}), [compile_linear(one) for one in patterns]
        extras = [name for name in instance if name not in known and not any(one.is_in(name) for one in compiled)]
        if isinstance(expected, dict):
            for name in extras:
                yield from validator.descend(instance[name], expected, path=name)
        elif not expected and extras:
            named = ", ".join(repr(name) for name in sorted(extras))
            yield ValidationError(f"{named} match none of the patterns {', '.join(map(repr, sorted(patterns)))}")

    return check


def _check_unique_items(validator: Any, wanted: bool, instance: Any, schema: Any) -> Iterator["ValidationError"]:
    from jsonschema import ValidationError

    if wanted and isinstance(instance, list):
        seen: set[Any] = set()
        for item in instance:
            frozen = _freeze(item)
            if frozen in seen:
                yield ValidationError(f"{instance!r} has non-unique elements")
                return
            seen.add(frozen)


def _freeze(value: Any) -> Any:
    """Return what is equal for equal JSON values: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, list):
        return ("list", tuple(_freeze(one) for one in value))
    if isinstance(value, dict):
        return ("dict", frozenset((name, _freeze(one)) for name, one in value.items()))
    with contextlib.suppress(OverflowError, ValueError):
        if value == int(value):
            return ("number", int(value))
    return ("number", value)
