"""Tell if the conditions of approval rules hold for a call: yes, no, or it can't be told. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pentad.domain.declarations.approval_rules import (
    MOST,
    CallIsFor,
    Condition,
    ContextIsTainted,
    NumberIs,
    TextIs,
    TurnIsUnsure,
)

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_MAX_VALUES = 1000
_SHOWN = 60


@dataclass(frozen=True)
class Circumstances:
    """What conditions are held against.

    Attributes:
        tenant_id: whose call it is.
        user_id: on whose behalf; None where the run has no user.
        arguments: as they would run.
        taint: sources of untrusted text in the context.
        confidence: of the turn; None where nobody rated it.
    """

    tenant_id: str
    user_id: str | None
    arguments: Mapping[str, Any]
    taint: Sequence[str] = ()
    confidence: float | None = None


def read_number(value: Any) -> Decimal | None:
    """Return a number as it is written, or None for what is none, is not finite, or is beyond `MOST`.

    Texts are read as plain decimals only ("12.50"): no "1,5", "1e9", "٣" or blanks.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = repr(value) if value == value and abs(value) < float(MOST) else None
        if value is not None and "e" in value:
            value = f"{Decimal(value):f}"
    if isinstance(value, int):
        return Decimal(value) if abs(value) <= MOST else None
    if not isinstance(value, str) or _NUMBER.fullmatch(value) is None or not value.isascii():
        return None
    number = Decimal(value)
    return number if abs(number) <= MOST else None


def list_values(arguments: Mapping[str, Any], path: str) -> list[Any]:
    """Return the values at a path, those of each entry where lists are on the way; None for one that is missing."""
    found = []
    for value in _iter_values(arguments, path.split(".")):
        found.append(value)
        if len(found) > _MAX_VALUES:
            return [None]
    return found


def _iter_values(value: Any, names: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for entry in value:
            yield from _iter_values(entry, names)
    elif not names:
        yield value
    elif isinstance(value, Mapping):
        yield from _iter_values(value.get(names[0]), names[1:])
    else:
        yield None


def evaluate(condition: Condition, call: Circumstances) -> bool | None:
    """Return whether a condition holds; None where it can't be told. Of several values all have to agree."""
    if isinstance(condition, CallIsFor):
        name = call.tenant_id if condition.whom == "tenant" else call.user_id
        return name in condition.names
    if isinstance(condition, ContextIsTainted):
        return bool(set(call.taint) & set(condition.sources)) if condition.sources else bool(call.taint)
    if isinstance(condition, TurnIsUnsure):
        return None if call.confidence is None else call.confidence < condition.below
    compare = _compare_number if isinstance(condition, NumberIs) else _compare_text
    said = {compare(condition, value) for value in list_values(call.arguments, condition.argument)}  # type: ignore[arg-type]
    return said.pop() if len(said) == 1 else None


def _compare_number(condition: NumberIs, value: Any) -> bool | None:
    number = read_number(value)
    if number is None:
        return None
    over = condition.compare == "over"
    if number < 0 and (condition.limit > 0 or (over and condition.limit == 0)):
        return None  # an amount below zero is no small amount
    return number > condition.limit if over else number < condition.limit


def _compare_text(condition: TextIs, value: Any) -> bool | None:
    if not isinstance(value, str) or not value.isascii() or value != value.strip() or not value.isprintable():
        # What may look like another text, or be read as several, is not compared.
        return None if not isinstance(value, str) or condition.compare == "ends_with" else value in condition.words
    text, words = value.casefold(), [word.casefold() for word in condition.words]
    if condition.compare == "among":
        return text in words
    return any(text.endswith(word) for word in words) and not re.search(r"[\s,;<>\"]", value)


def describe(condition: Condition, call: Circumstances) -> str:
    """Return what a condition says of a call, in words for whoever decides."""
    unknown = evaluate(condition, call) is None
    if isinstance(condition, CallIsFor):
        return f"the call is for the {condition.whom} {', '.join(map(repr, condition.names))[:_SHOWN]}"
    if isinstance(condition, ContextIsTainted):
        return "text from outside is in the context"
    if isinstance(condition, TurnIsUnsure):
        return f"the turn's confidence is {'not known' if unknown else f'below {condition.below:g}'}"
    name = f"'{condition.argument}'"
    if isinstance(condition, NumberIs):
        return (
            f"{name} can't be compared with {condition.limit:f}"
            if unknown
            else f"{name} is {condition.compare} {condition.limit:f}"
        )
    verb = "is among" if condition.compare == "among" else "ends with"
    words = ", ".join(map(repr, condition.words))[:_SHOWN]
    return f"{name} can't be compared with {words}" if unknown else f"{name} {verb} {words}"
