"""Detect loops: tell a repeated call from work that repeats on purpose. Pure.

Trajectories of real tool use make equal calls that are meant: a status is read before, between and after changes, and
the same amount is refunded twice. So the same call with the same arguments alone is no loop. It is one where the call
also came to the same result each time, and nothing was tried meanwhile that had not been tried before.

A call that differs from an earlier one in nothing but blanks, case, the form of a number or a truth value, kinds of
dashes, invisible characters, quotes, brackets or punctuation at an end, an empty field, or empty items that end a list
is the same call. One with a new identifier each time is another call: an identifier may be what it is about. So numbers
are equal by all their digits, and a text of digits is what it says: `007` is not `7`, nor version `1.10` version `1.1`.
A result that differs in nothing but the id, the time or the duration of the answer is the same (`volatile_fields`).
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.messages import Message, ToolCallBlock, ToolResultBlock
from pentad.orchestration.turn import decision as decide
from pentad.orchestration.turn.volatile_fields import drop_volatile

_ENDS = (
    "\"'`.,;:!?()[]{}\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u3001\u3002\u300c\u300d\u061f\u060c"
)
"""Quotes, brackets and punctuation, which change nothing at the ends of a text."""
_BEGINNINGS = _ENDS.replace(".", "")
"""A point before a text is a part of it: `.5`, `.py`."""
_UNSEEN = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0),
            *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)),
        ),
    )
)
"""What Unicode lets a screen leave out, beside Cf: joiners, fillers, variation selectors (Default_Ignorable)."""
_Key = tuple[str, str]
_Result = tuple[str, bool]


@dataclass
class _Made:
    """One call that was made: at which turn, and what came back; None where nothing did yet."""

    turn: int
    result: _Result | None = None


def find_loop(run_id: str, earlier: Iterable[Message], reply: Message) -> str | None:
    """Return the tool of a call that goes round in circles, or None.

    That is one that the run has made `REPEATS` - 1 times before with like arguments and a like result, with no call
    since the first of these that was new to the run, and none beside it in the reply. A circle of several calls
    is so found in its next round.

    Args:
        run_id: the run; what others of the session called does not count.
        earlier: the messages that the model sees, the results of the last turn included. A circle that is longer than
            those is left to the step cap.
        reply: the model's message.
    """
    made, newest = _collect_calls(message for message in earlier if message.run_id == run_id)
    asked = [_key_of(block) for block in reply.tool_calls]
    if any(key not in made for key in asked):
        return None
    for tool, arguments in asked:
        before = made[tool, arguments][-(decide.REPEATS - 1) :]
        results = {one.result for one in before}
        full = len(before) == decide.REPEATS - 1
        if full and len(results) == 1 and None not in results and newest <= before[0].turn:
            return tool
    return None


def _collect_calls(messages: Iterable[Message]) -> tuple[dict[_Key, list[_Made]], int]:
    """Return all calls with their results, and the last turn that made one for the first time."""
    made: dict[_Key, list[_Made]] = {}
    newest = open_turn = -1
    waiting: dict[str, _Made] = {}
    for turn, message in enumerate(messages):
        for block in message.blocks:
            if isinstance(block, ToolCallBlock):
                if open_turn != turn:
                    open_turn, waiting = turn, {}
                if _key_of(block) not in made:
                    newest = turn
                waiting[block.call_id] = _Made(turn)
                made.setdefault(_key_of(block), []).append(waiting[block.call_id])
            elif isinstance(block, ToolResultBlock) and block.call_id in waiting:
                waiting[block.call_id].result = (_fold_text(drop_volatile(block.content)), block.is_error)
    return made, newest


def _key_of(block: ToolCallBlock) -> _Key:
    return block.tool, arguments_hash(_fold(block.arguments))


def _fold(value: Any) -> Any:
    """Return a value without what changes nothing: empty fields, and of texts what `_fold_text` takes away."""
    if isinstance(value, dict):
        folded = {name: _fold(part) for name, part in value.items()}
        return {name: part for name, part in folded.items() if not _is_empty(part)}
    if isinstance(value, list):
        return _fold_list(value)
    if isinstance(value, str):
        return _fold_text(value)
    if isinstance(value, bool):
        return str(value).casefold()
    return value if value is None else _fold_number(value)


def _fold_list(items: list[Any]) -> list[Any]:
    """Return a list without the empty items at its end; one before another item holds a place, as in a row."""
    folded = [_fold(item) for item in items]
    while folded and _is_empty(folded[-1]):
        folded.pop()
    return folded


def _is_empty(folded: Any) -> bool:
    return folded in ("", None, [], {})


def _fold_number(value: float) -> str:
    """Return all digits of a number, so that 1, 1.0 and 1e0 are one, and times a millisecond apart are two."""
    if isinstance(value, int):
        return str(value)
    # Of -0.0 the sum is 0.
    return format((Decimal(repr(value)) + 0).normalize(), "f")


def _fold_text(text: str) -> str:
    """Return what a text says. A number in it keeps its zeros: they may tell identifiers and versions apart."""
    # First what is not seen: between a letter and its accent it would keep both from becoming one.
    plain = unicodedata.normalize("NFKC", _replace_each(text, _drop_unseen)).casefold()
    said = _replace_each(unicodedata.normalize("NFKC", plain), _fold_mark)
    # A text of nothing but punctuation, such as an operator, is what it is.
    return said.lstrip(_BEGINNINGS).rstrip(_ENDS) or said


def _replace_each(text: str, fold: Callable[[str], str]) -> str:
    return text.translate({ord(mark): fold(mark) for mark in set(text)})


def _drop_unseen(mark: str) -> str:
    unseen = mark in _UNSEEN or unicodedata.category(mark) in ("Cf", "Cc")
    return "" if unseen and not mark.isspace() else mark


def _fold_mark(mark: str) -> str:
    kind = unicodedata.category(mark)
    if kind == "Nd":
        return str(unicodedata.decimal(mark))
    if kind == "Pd":
        return "-"
    return "" if mark.isspace() else _drop_unseen(mark)
