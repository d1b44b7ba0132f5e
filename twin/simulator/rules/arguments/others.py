"""Other values of a schema, for rules that say what one must not be: `not`, and one of several alternatives alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from twin.simulator.neutral import Json
from twin.simulator.rules.arguments.patterns import make_match
from twin.simulator.rules.arguments.schema import list_options

MOST_OTHERS: Final = 400
_MOST_ADDED: Final = 6
_MOST_KEYS: Final = 8
_DEPTH: Final = 3
_TEXTS: Final = ("a", "", "A", "1", "-", "other", "Other text", "an other text of more words", "1970-01-01", "x" * 80)
_CHARACTERS: Final = "abcABC019-_ "
_NUMBERS: Final = (0, 1, -1, 2, 3, 0.5, -0.5, 10, 100, -100, 1000, 1_000_000)
_ANY: Final[tuple[Any, ...]] = (0, "other", True, False, None, 0.5, [], {}, [0], {"a": 0})
SPARE: Final = ("a", "b", "c", "d", "e", "f", "g", "h", "aa", "bb", "a1", "b1", "a_1", "x-1")
"""Names that are tried for keys without one."""

Make = Callable[[Json], Any]


def list_others(value: Any, part: Mapping[str, Any], make: Make) -> Iterator[Any]:
    """Yield other values, those that differ least first, whether they fit or not; so many at most.

    Args:
        value: as it is.
        part: its schema.
        make: fills an instance of a part of the schema.
    """
    return itertools.islice(_list(value, part, make, _DEPTH), MOST_OTHERS)


def _list(value: Any, part: Mapping[str, Any], make: Make, depth: int) -> Iterator[Any]:
    if not depth:
        return
    yield from list_options(part)
    if isinstance(value, dict):
        yield from _list_objects(value, part, make, depth)
    elif isinstance(value, list):
        yield from _list_arrays(value, part, make, depth)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from _list_numbers(value, part)
    elif isinstance(value, str):
        yield from _list_texts(value, part)
    for rule in ("anyOf", "oneOf", "allOf"):
        yield from (make(one) for one in part.get(rule, ()) if isinstance(one, dict))
    yield from _ANY


def _list_objects(value: Json, part: Mapping[str, Any], make: Make, depth: int) -> Iterator[Any]:
    names = [name for name in value if name not in part.get("required", ())][:_MOST_KEYS]
    for count in range(1, len(names) + 1):
        for dropped in itertools.combinations(names, count):
            yield {name: one for name, one in value.items() if name not in dropped}
    known = part.get("properties", {})
    for name, held in itertools.islice(value.items(), _MOST_KEYS):
        inner = known.get(name)
        found = _list(held, inner if isinstance(inner, Mapping) else {}, make, depth - 1)
        yield from ({**value, name: other} for other in itertools.islice(found, 40))
    more = dict(value)
    for name in (*known, *SPARE[:_MOST_ADDED]):
        if name not in more:
            inner = known.get(name, part.get("additionalProperties"))
            more[name] = make(inner) if isinstance(inner, dict) else 0
            yield dict(more)


def _list_arrays(value: list[Any], part: Mapping[str, Any], make: Make, depth: int) -> Iterator[Any]:
    yield from (value[:count] for count in range(len(value) - 1, -1, -1))
    items = part.get("items")
    items = items if isinstance(items, dict) else {}
    made = value[-1] if value else make(items)
    yield from ([*value, *[made] * count] for count in range(1, _MOST_ADDED + 1))
    for place, held in enumerate(value[:_MOST_KEYS]):
        found = itertools.islice(_list(held, items, make, depth - 1), 40)
        yield from ([*value[:place], other, *value[place + 1 :]] for other in found)


def _list_numbers(value: float, part: Mapping[str, Any]) -> Iterator[Any]:
    step = part.get("multipleOf") or 1
    yield from (value + sign * step * number for number in range(1, 13) for sign in (1, -1))
    bounds = [part[name] for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if name in part]
    yield from bounds
    if len(bounds) > 1:
        low, high = min(bounds), max(bounds)
        yield from (low + (high - low) * tenth / 10 for tenth in range(1, 10))
    yield from (value + 0.5, value - 0.5, value / 2, *_NUMBERS)


def _list_texts(value: str, part: Mapping[str, Any]) -> Iterator[Any]:
    if "pattern" in part:
        yield from (one for number in range(40) if (one := make_match(str(part["pattern"]), number)) is not None)
        made = make_match(str(part["pattern"])) or value
        places = range(min(len(made), _MOST_KEYS))
        yield from (f"{made[:place]}{one}{made[place + 1 :]}" for place in places for one in _CHARACTERS)
    yield from (f"{value} other", f"other {value}", value.upper(), value.capitalize())
    yield from (value[:count] for count in (len(value) // 2, 4, 3, 2, 1))
    yield from _TEXTS
