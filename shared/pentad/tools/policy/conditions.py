"""Tell if the conditions of approval rules hold for a call: yes, no, or it can't be told. Pure."""

import re
import unicodedata
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
from pentad.domain.display.scripts import find_alike
from pentad.domain.taint.sources import MANY, MEMORY

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_MAX_VALUES = 1000
_SHOWN = 60
_OF_ANY = frozenset({MANY, MEMORY})
"""They stand for sources whose names are not kept."""


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
        return _is_tainted(condition, call.taint)
    if isinstance(condition, TurnIsUnsure):
        return None if call.confidence is None else call.confidence < condition.below
    compare = _compare_number if isinstance(condition, NumberIs) else _compare_text
    said = {compare(condition, value) for value in list_values(call.arguments, condition.argument)}  # type: ignore[arg-type]
    return said.pop() if len(said) == 1 else None


def _is_tainted(condition: ContextIsTainted, taint: Sequence[str]) -> bool | None:
    if not condition.sources or set(taint) & set(condition.sources):
        return bool(taint)
    return None if _OF_ANY & set(taint) else False


def _compare_number(condition: NumberIs, value: Any) -> bool | None:
    number = read_number(value)
    if number is None:
        return None
    over = condition.compare == "over"
    if number < 0 and (condition.limit > 0 or (over and condition.limit == 0)):
        return None  # an amount below zero is no small amount
    return number > condition.limit if over else number < condition.limit


def _compare_text(condition: TextIs, value: Any) -> bool | None:
    if not isinstance(value, str):
        return None
    plain = value.isascii() and value.isprintable() and value == value.strip()
    if condition.compare == "ends_with":
        if not plain:
            return None
        parts = [one.casefold() for one in re.split(r"[\s,;<>\"|\[\]()]+", value) if one]
        ends = any(one.endswith(word.casefold()) for one in (value.casefold(), *parts) for word in condition.words)
        # Of several in one text some may end so, and some not.
        return None if ends and len(parts) != 1 else ends
    if value in condition.words or (plain and value.casefold() in {word.casefold() for word in condition.words}):
        return True
    if plain and _holds_word(value, condition.words):
        return None
    # What may pass for one of the words, or hides letters, is none of them and not surely another.
    doubt = not plain and (find_alike(value) or _fold(value) in {_fold(word) for word in condition.words})
    return None if doubt else False


def _holds_word(value: str, words: Sequence[str]) -> bool:
    """Tell if a text is a list, or a name with an address, of which one part is one of the words."""
    parts = {one.strip().casefold() for one in re.split(r"[,;<>\"|\[\]()\n]", value)}
    return len(parts) > 1 and not parts.isdisjoint(word.casefold() for word in words)


def _fold(text: str) -> str:
    """Return letters, digits and signs of a text, without accents, blanks and what has no picture."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(one for one in letters if unicodedata.category(one)[0] not in "MCZ")


def describe(condition: Condition, call: Circumstances) -> str:
    """Return what a condition says of a call, in words for whoever decides."""
    unknown = evaluate(condition, call) is None
    if isinstance(condition, CallIsFor):
        return f"the call is for the {condition.whom} {', '.join(map(repr, condition.names))[:_SHOWN]}"
    if isinstance(condition, ContextIsTainted):
        return f"text from outside {'may be' if unknown else 'is'} in the context"
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
