"""Which keys the rules of an object ask for beside its fields. Pure.

A strict form closes every object: it has its fields and no other keys. Rules that ask for more could not be kept then.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

FREE_KEYS = ("an object with free keys", "use a list of objects with a key and a value")
OTHER_FIELDS = ("alternatives with fields of their own", "name them in properties, too")
"""What an object is that can't be closed, and what to write instead."""

# What says something of keys without a name.
_FREE = ("additionalProperties", "patternProperties", "propertyNames", "unevaluatedProperties")
_UNIONS = ("anyOf", "oneOf", "allOf")
_CONDITIONS = ("if", "then", "else")


def find_other_keys(
    rules: Iterable[Any], fields: Set[str], find: Callable[[Any], Any], depth: int
) -> tuple[str, str] | None:
    """Return why an object can't be closed, and what to write instead; None if it can.

    Args:
        rules: of the object, beside its fields: schemas without them.
        fields: the names that it has.
        find: returns what a reference stands for.
        depth: how many levels of rules are looked at; what is nested deeper may ask for anything.
    """
    for rule in rules:
        if depth < 0:
            return FREE_KEYS
        whole = find(rule["$ref"]) if isinstance(rule, Mapping) and "$ref" in rule else rule
        if not isinstance(whole, Mapping):
            continue
        least = whole.get("minProperties", 0)
        more = isinstance(least, int | float) and least > len(fields)
        if more or any(whole.get(name, False) is not False for name in _FREE):
            return FREE_KEYS
        if not set(_iter_named(whole)) <= fields:
            return OTHER_FIELDS
        found = find_other_keys(_iter_inner(whole), fields, find, depth - 1)
        if found:
            return found
    return None


def _iter_inner(rule: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the rules in a rule that are about the same object."""
    for name in _UNIONS:
        yield from _list_items(rule.get(name))
    yield from (rule[name] for name in _CONDITIONS if name in rule)
    dependent = rule.get("dependentSchemas")
    yield from dependent.values() if isinstance(dependent, Mapping) else ()


def _iter_named(rule: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that a rule names."""
    for name in ("properties", "required", "dependentRequired", "dependentSchemas"):
        yield from _list_items(rule.get(name))
    dependent = rule.get("dependentRequired")
    for asked in dependent.values() if isinstance(dependent, Mapping) else ():
        yield from _list_items(asked)
    for value in (*_list_items(rule.get("enum")), rule.get("const")):
        yield from value if isinstance(value, Mapping) else ()


def _list_items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | Mapping) else []
