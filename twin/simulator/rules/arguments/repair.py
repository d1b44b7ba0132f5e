"""Mend an instance until it fits its schema: each round takes one error of the validator and does what it asks."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from twin.simulator.neutral import Json
from twin.simulator.rules.arguments.others import SPARE, list_others
from twin.simulator.rules.arguments.patterns import make_match

_MOST_ROUNDS = 60
_MOST_CHOICES = 12
"""Rounds in which another value is looked for among many."""
_MOST_TRIES = 200


def repair(instance: Any, schema: Json, make: Callable[[Json], Any]) -> Any:
    """Return the instance, mended as far as plain rules can.

    Args:
        instance: as it was filled.
        schema: what it has to fit.
        make: fills an instance of a part of the schema.
    """
    return _Repair(instance, schema, make).run()


class _Repair:
    def __init__(self, instance: Any, schema: Json, make: Callable[[Json], Any]) -> None:
        self._value: Any = {"value": copy.deepcopy(instance)}
        self._validator, self._make = Draft202012Validator(schema), make
        self._choices = 0
        self._asked: dict[tuple[Any, ...], Json] = {}
        self._round = 0

    def run(self) -> Any:
        for self._round in range(_MOST_ROUNDS):
            error = next(iter(sorted(self._validator.iter_errors(self._value["value"]), key=_rank)), None)
            if error is None:
                break
            self._mend(error, ("value", *error.absolute_path))
        return self._value["value"]

    def _mend(self, error: ValidationError, path: tuple[Any, ...]) -> None:
        if error.validator in ("anyOf", "oneOf") and error.context:
            self._mend_branch(error)
            return
        value, part = self._get(path), error.schema
        part = part if isinstance(part, Mapping) else {}
        if error.validator in ("not", "oneOf"):
            self._choose_other(value, part, path)
            return
        mended = self._mend_keys(str(error.validator), value, part) if isinstance(value, dict) else False
        mended = mended or (isinstance(value, list) and self._mend_items(str(error.validator), value, part))
        if not mended:
            known = {name: one for name, one in part.items() if name not in ("if", "then", "else", "$defs")}
            asked = self._asked[path] = {**self._asked.get(path, {}), **known}
            self._set(path, self._make(asked))

    def _choose_other(self, value: Any, part: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        """Put another value in the place of one that must not be, or that fits two alternatives of which one may."""
        self._choices += 1
        fits = self._validator.evolve(schema=part)
        best, fewest = _vary(value, self._round + 1, part), None
        for other in list_others(value, part, self._make) if self._choices <= _MOST_CHOICES else ():
            if not fits.is_valid(other):
                continue
            self._set(path, other)
            faults = sum(1 for _ in self._validator.iter_errors(self._value["value"]))
            if fewest is None or faults < fewest:
                best, fewest = other, faults
            if not faults:
                break
        self._set(path, best)

    def _mend_branch(self, error: ValidationError) -> None:
        """Mend what one of the alternatives asks for; another one in the next round."""
        branches = sorted({each.schema_path[0] for each in error.context or ()}, key=str)
        chosen = branches[self._round % len(branches)]
        inner = next(each for each in sorted(error.context or (), key=_rank) if each.schema_path[0] == chosen)
        self._mend(inner, ("value", *inner.absolute_path))

    def _mend_keys(self, rule: str, value: Json, part: Mapping[str, Any]) -> bool:
        if rule == "required":
            for name in part["required"]:
                value.setdefault(name, self._make(_find_schema(name, part)))
        elif rule == "dependentRequired":
            for name in [one for key, names in part[rule].items() if key in value for one in names]:
                value.setdefault(name, self._make(_find_schema(name, part)))
        elif rule == "minProperties":
            self._add_keys(value, part)
        elif rule in ("additionalProperties", "unevaluatedProperties", "propertyNames", "maxProperties"):
            self._drop_key(value, part)
        else:
            return False
        return True

    def _add_keys(self, value: Json, part: Mapping[str, Any]) -> None:
        matches = (make_match(pattern, more) for pattern in part.get("patternProperties", ()) for more in range(20))
        for name in (*part.get("properties", ()), *(one for one in matches if one), *SPARE):
            if len(value) >= part["minProperties"]:
                return
            names = part.get("propertyNames")
            if name not in value and (names is None or Draft202012Validator(names).is_valid(name)):
                found = _find_schema(name, part)
                if found is not False:
                    value[name] = self._make(found)

    def _drop_key(self, value: Json, part: Mapping[str, Any]) -> None:
        kept = {*part.get("required", ())}
        known = part.get("properties", {})
        for name in sorted(value, key=lambda one: (one in known, one)):
            if name not in kept:
                del value[name]
                return

    def _mend_items(self, rule: str, value: list[Any], part: Mapping[str, Any]) -> bool:
        if rule == "uniqueItems":
            _make_unique(value, int(part.get("minItems", 0)), part)
        elif rule in ("contains", "minContains"):
            items = part.get("items")
            value.append(self._make({**(items if isinstance(items, Mapping) else {}), **part["contains"]}))
        elif rule == "minItems":
            first = part.get("prefixItems") or []
            while len(value) < part["minItems"]:
                value.append(self._make(first[len(value)] if len(value) < len(first) else part.get("items") or {}))
        elif rule in ("maxItems", "items", "unevaluatedItems") and len(value) > len(part.get("prefixItems") or []):
            value.pop()
        else:
            return False
        return True

    def _get(self, path: Iterable[Any]) -> Any:
        found = self._value
        for step in path:
            found = found[step]
        return found

    def _set(self, path: tuple[Any, ...], value: Any) -> None:
        self._get(path[:-1])[path[-1]] = value


def _rank(error: ValidationError) -> tuple[int, str]:
    """Put what is further up first: a part that is made anew has other errors."""
    return len(error.absolute_path), str(error.validator)


def _find_schema(name: str, part: Mapping[str, Any]) -> Any:
    if name in part.get("properties", {}):
        return part["properties"][name]
    for pattern, one in part.get("patternProperties", {}).items():
        if re.search(pattern, name):
            return one
    return part.get("additionalProperties", {})


def _make_unique(value: list[Any], least: int, part: Mapping[str, Any]) -> None:
    """Drop what is twice; where items are missing then, put others of the same kind in their place."""
    unique = list({json.dumps(one, sort_keys=True): one for one in value}.values())
    check = Draft202012Validator({"items": part.get("items", {}), "uniqueItems": True})
    for number in range(_MOST_TRIES):
        if len(unique) >= least:
            break
        if check.is_valid([*unique, *(other := [_vary(unique[-1] if unique else "a", number + 1, part)])]):
            unique += other
    value[:] = unique


def _vary(value: Any, number: int, part: Mapping[str, Any]) -> Any:
    """Return another value of the same kind."""
    items = part.get("items")
    options = items.get("enum") if isinstance(items, Mapping) else None
    if options:
        return options[number % len(options)]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + (number if number % 2 else -number)
    if isinstance(value, str):
        return f"{value} {number}" if number % 2 else str(number)
    if isinstance(value, dict) and value:
        name = next(iter(value))
        return {**value, name: _vary(value[name], number, {})}
    return [number] if isinstance(value, list) else number
