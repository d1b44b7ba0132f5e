"""Detect loops: tell a repeated call from work that repeats on purpose. Pure.

Trajectories of real tool use make equal calls that are meant: a status is read before, between and after changes, and
the same amount is refunded twice. So the same call with the same arguments alone is no loop. It is one where the call
also came to the same result each time, and nothing was tried meanwhile that had not been tried before.

A call that differs from an earlier one in nothing but blanks, case, the form of a number or a truth value, kinds of
dashes, invisible characters, quotes, brackets or punctuation at an end, or an empty field is the same call. One with a
new identifier each time is another call: an identifier may be what it is about. A result that differs in nothing but
the id, the time or the duration of the answer is the same result (`volatile_fields`).
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.messages import Message, ToolCallBlock, ToolResultBlock
from pentad.orchestration.turn import decision as decide
from pentad.orchestration.turn.volatile_fields import drop_volatile

_NUMBER = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?")
_ENDS = (
    "\"'`.,;:!?()[]{}\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u3001\u3002\u300c\u300d\u061f\u060c"
)
"""Quotes, brackets and punctuation, which change nothing at the ends of a text."""
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
        return {name: part for name, part in folded.items() if part not in ("", None, [], {})}
    if isinstance(value, list):
        return [_fold(part) for part in value]
    if isinstance(value, str):
        return _fold_text(value)
    if isinstance(value, bool):
        return str(value).casefold()
    if value is None:
        return value
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _fold_text(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    kinds = ((mark, unicodedata.category(mark)) for mark in plain if not mark.isspace())
    said = "".join("-" if kind == "Pd" else mark for mark, kind in kinds if kind != "Cf")
    # A text of nothing but punctuation, such as an operator, is what it is.
    folded = said.strip(_ENDS) or said
    return f"{float(folded):.12g}" if _NUMBER.fullmatch(folded) else folded
