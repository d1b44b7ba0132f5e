"""Full-text search over the string fields of one namespace, as Pinecone's: words by blanks and punctuation, BM25.

Source: docs.pinecone.io/guides/search/full-text-search/text-processing, read 2026-11. Stemming, stop words and n-grams
are off unless a schema asks for them, and a schema that asks for them is refused here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twin.vectors.errors import BadRequest

MATCH_OPERATORS = ("$match_phrase", "$match_all", "$match_any")
MAX_TOKEN_BYTES = 40
"""Longer tokens are neither indexed nor searched for."""
_K1 = 1.2
_B = 0.75
_TOKEN = re.compile(r"\w+")


def split_tokens(text: str) -> list[str]:
    """Return the tokens of a text in order, in lower case."""
    found = (token.lower() for part in _TOKEN.findall(text) for token in part.split("_") if token)
    return [token for token in found if len(token.encode()) <= MAX_TOKEN_BYTES]


class TextIndex:
    """The tokens of one field by record. Not thread-safe: the store holds the lock."""

    def __init__(self) -> None:
        self._postings: dict[str, dict[str, int]] = {}
        self._lengths: dict[str, int] = {}
        self._tokens: dict[str, Counter[str]] = {}

    def put(self, id_: str, text: str) -> None:
        """Index a record's text, in the place of what it had."""
        self.drop(id_)
        counts = Counter(split_tokens(text))
        self._tokens[id_] = counts
        self._lengths[id_] = counts.total()
        for token, count in counts.items():
            self._postings.setdefault(token, {})[id_] = count

    def drop(self, id_: str) -> None:
        """Forget a record, if it is there."""
        for token in self._tokens.pop(id_, ()):
            del self._postings[token][id_]
            if not self._postings[token]:
                del self._postings[token]
        self._lengths.pop(id_, None)

    def score(self, query: str) -> dict[str, float]:
        """Return the BM25 score of the records that have any of the query's tokens."""
        scores: dict[str, float] = {}
        total = len(self._lengths)
        mean = sum(self._lengths.values()) / total if total else 1.0
        for token in dict.fromkeys(split_tokens(query)):
            postings = self._postings.get(token, {})
            weight = math.log(1 + (total - len(postings) + 0.5) / (len(postings) + 0.5))
            for id_, count in postings.items():
                norm = _K1 * (1 - _B + _B * self._lengths[id_] / (mean or 1.0))
                scores[id_] = scores.get(id_, 0.0) + weight * count * (_K1 + 1) / (count + norm)
        return scores


def compile_match(condition: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Return a test of a text field for ``$match_phrase``, ``$match_all`` and ``$match_any``.

    Raises:
        BadRequest: If it has another operator, or an operand that is no text.
    """
    tests = [_compile_one(operator, operand) for operator, operand in condition.items()]
    return lambda value: isinstance(value, str) and all(test(split_tokens(value)) for test in tests)


def _compile_one(operator: str, operand: Any) -> Callable[[list[str]], bool]:
    if operator not in MATCH_OPERATORS:
        raise BadRequest(f"{operator} is not supported on a full-text search field")
    if not isinstance(operand, str):
        raise BadRequest(f"the {operator} operator must be followed by a string")
    wanted = split_tokens(operand)
    if operator == "$match_phrase":
        return lambda tokens: _has_phrase(tokens, wanted)
    combine: Callable[[Iterable[bool]], bool] = all if operator == "$match_all" else any
    return lambda tokens: combine(token in tokens for token in wanted)


def _has_phrase(tokens: list[str], wanted: list[str]) -> bool:
    return any(tokens[at : at + len(wanted)] == wanted for at in range(len(tokens) - len(wanted) + 1))
