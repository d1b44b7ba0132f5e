"""Measure how far two replies to one request agree, from 0 (they differ) to 1 (they say or do the same). Pure.

Calls are compared by their canonical arguments. Two calls are equal where tool and arguments are; they are alike where
they differ in nothing but prose (a text of at least `PROSE_WORDS` words in both, such as a mail's body), and then as
alike as these texts are. Replies with calls agree by the sum over their pairs of alike calls, divided by the number of
calls of the longer one. A reply that calls and one that answers do not agree at all.

Answers are compared by the share of the shorter one's words that the other has as well, times the same share of
numbers: so one that says more does not disagree, and one that says 43 where the other says 42 does. Citation markers
and words of one letter are left out; scripts without spaces between words count by the character. What it can't see is
a turn of phrase that says the opposite in the same words: agreement is one source among several, and the judge reads.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from pentad.domain.canonical import canonical_json
from pentad.domain.messages import Message, ToolCallBlock
from pentad.memory.retrieval.citations import strip_markers

T = TypeVar("T")

PROSE_WORDS = 8
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]{2,}")


def compute_agreement(reply: Message, sample: Message) -> float:
    """Return how equal two replies are; the order of the two makes no difference."""
    if reply.tool_calls or sample.tool_calls:
        return _compare_calls(reply.tool_calls, sample.tool_calls)
    return compute_similarity(reply.text, sample.text)


def compute_similarity(first: str, second: str) -> float:
    """Return how equal two texts are."""
    one, other = strip_markers(first), strip_markers(second)
    words, other_words = set(_WORD.findall(one.casefold())), set(_WORD.findall(other.casefold()))
    numbers, other_numbers = _extract_numbers(one), _extract_numbers(other)
    if not (words or numbers) or not (other_words or other_numbers):
        return float(one.strip() == other.strip())
    return _compute_overlap(words, other_words) * _compute_overlap(numbers, other_numbers)


def _extract_numbers(text: str) -> set[Decimal]:
    return {Decimal(found.replace(",", "")) for found in _NUMBER.findall(text)}


def _compute_overlap(one: set[T], other: set[T]) -> float:
    """Return the share of the smaller set that is in the larger; 1 where there is nothing to share."""
    fewer = min(len(one), len(other))
    return len(one & other) / fewer if fewer else 1.0


def _compare_calls(one: Sequence[ToolCallBlock], other: Sequence[ToolCallBlock]) -> float:
    """Pair the calls, the most alike first, and return the sum over the pairs by the longer one's length."""
    # Ties are broken by what the calls say, so that neither side's order decides.
    pairs = [
        (-_compare_call(a, b), sorted((_render_call(a), _render_call(b))), i, j)
        for i, a in enumerate(one)
        for j, b in enumerate(other)
    ]
    total, taken_one, taken_other = 0.0, set[int](), set[int]()
    for negative, _, i, j in sorted(pairs):
        if i not in taken_one and j not in taken_other:
            total -= negative
            taken_one.add(i)
            taken_other.add(j)
    return total / max(len(one), len(other))


def _compare_call(one: ToolCallBlock, other: ToolCallBlock) -> float:
    if one.tool != other.tool or one.arguments.keys() != other.arguments.keys():
        return 0.0
    score = 1.0
    for name, value in one.arguments.items():
        another = other.arguments[name]
        if canonical_json(value) == canonical_json(another):
            continue
        if not (_is_prose(value) and _is_prose(another)):
            return 0.0
        score = min(score, compute_similarity(value, another))
    return score


def _render_call(call: ToolCallBlock) -> str:
    return f"{call.tool} {canonical_json(call.arguments)}"


def _is_prose(value: object) -> bool:
    return isinstance(value, str) and len(value.split()) >= PROSE_WORDS
