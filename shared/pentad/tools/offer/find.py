"""Find tools by words: which of many tools is meant by what a model wants to do. Pure, without a model.

The rank is BM25F (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) over a tool's
name, description, parameters and what is said of them. Words are compared by their stems; some verbs that mean the same
for tools ("get", "fetch", "look up") are one. A name that is given exactly comes first.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pentad.domain.declarations.agents import ToolSpec

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_K: Final = 1.4
_B: Final = 0.4
_WEIGHTS: Final = {"name": 4.0, "description": 2.0, "parameter": 1.2, "said": 0.6}
_ENDINGS: Final = ("ational", "ization", "ation", "ment", "ness", "ing", "ion", "ed", "er", "or", "al", "ly")
_MOST_WORDS: Final = 400
"""Of a query, or of one field of a tool."""
_MOST_DEPTH: Final = 6
_STOP: Final = frozenset(
    "a an and any are as at be been but by can could do does for from had has have he her him his how i if in into is "
    "it its may me my no not of on one or our out please she should so some than that the their them then there these "
    "they this those to us use using used want was we were what when where which who whose will with would you your "
    "tool tools function functions call need needs given specified specific via also like just".split()
)
# Words of one line mean the same where a tool is looked for.
_SAME: Final = (
    "get fetch retrieve read obtain load lookup check show view display",
    "find search query seek locate discover",
    "list enumerate all",
    "create add make new insert open register compose generate",
    "update edit change modify set alter adjust rename",
    "delete remove erase cancel drop clear discard",
    "send post deliver message notify mail email",
    "compute calculate evaluate count determine work",
    "convert translate transform turn",
    "book reserve reservation booking schedule appointment",
    "buy purchase order pay payment",
    "weather forecast temperature",
    "near nearby nearest close around",
    "film movie",
    "flight airline plane fly",
    "house home property apartment",
    "car vehicle auto automobile",
    "doctor physician",
    "picture image photo",
    "cost price amount fee",
    "stock share equity",
    "firm company business",
    "song track music",
    "begin start launch run execute",
    "stop end halt",
    "user account profile member",
    "area surface",
    "person people human contact",
    "customer client buyer",
    "invoice bill",
)


class FoundTool(NamedTuple):
    """A tool and how well it fits; scores of one search compare with each other only."""

    tool: ToolSpec
    score: float


class ToolIndex:
    """An index over some tools.

    Args:
        tools: what can be found; the order breaks ties.
    """

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._tools = list(tools)
        self._names = {tool.name: place for place, tool in enumerate(self._tools)}
        self._folded: dict[str, list[int]] = {}
        for place, tool in enumerate(self._tools):
            self._folded.setdefault(_fold_name(tool.name), []).append(place)
        self._weighed = [_weigh_tool(tool) for tool in self._tools]
        lengths = [sum(words.values()) for words in self._weighed]
        mean = sum(lengths) / max(1, len(lengths)) or 1.0
        self._norms = [1 - _B + _B * length / mean for length in lengths]
        have = Counter(word for words in self._weighed for word in words)
        count = len(self._tools)
        self._rarity = {word: math.log(1 + (count - n + 0.5) / (n + 0.5)) for word, n in have.items()}

    def find(self, query: str, limit: int) -> list[FoundTool]:
        """Return the tools that fit best, the best first; none that has no word of the query.

        Args:
            query: what is to be done, or a tool's name.
            limit: so many at most.
        """
        asked = Counter(_iter_stems(query))
        scores: dict[int, float] = {}
        for word, times in asked.items():
            rarity = self._rarity.get(word)
            if rarity is None:
                continue
            for place, words in enumerate(self._weighed):
                weight = words.get(word)
                if weight:
                    gain = rarity * weight * (_K + 1) / (weight + _K * self._norms[place]) * min(times, 2)
                    scores[place] = scores.get(place, 0.0) + gain
        scores |= dict.fromkeys(self._folded.get(_fold_name(query), ()), math.inf)
        # Of names that differ in their underscores alone the one comes first that was written.
        exact = self._names.get(query.strip())
        best = sorted(scores, key=lambda place: (place != exact, -scores[place], place))[:limit]
        return [FoundTool(self._tools[place], scores[place]) for place in best]


def _fold_name(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())[:200]


def _weigh_tool(tool: ToolSpec) -> dict[str, float]:
    """Return the weight of each stem of a tool."""
    found: dict[str, float] = {}
    texts = [("name", tool.name), ("description", tool.description), *_iter_schema(tool.input_schema)]
    for field, text in texts:
        for stem, times in Counter(_iter_stems(text)).items():
            found[stem] = found.get(stem, 0.0) + _WEIGHTS[field] * min(times, 3)
    return found


def _iter_schema(schema: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the names of parameters, what is said of them, and the values that they may have."""
    if not isinstance(schema, Mapping) or depth > _MOST_DEPTH:
        return
    for name, part in (schema.get("properties") or {}).items():
        yield "parameter", str(name)
        if isinstance(part, Mapping):
            yield "said", str(part.get("description", ""))
            yield "said", " ".join(value for value in part.get("enum") or () if isinstance(value, str))
        yield from _iter_schema(part, depth + 1)
    yield from _iter_schema(schema.get("items"), depth + 1)


def _iter_stems(text: str) -> Iterator[str]:
    for count, match in enumerate(_WORD.finditer(text)):
        if count >= _MOST_WORDS:
            return
        word = match[0].lower()
        if word not in _STOP:
            stem = stem_word(word)
            yield _SYNONYMS.get(stem, stem)


def stem_word(word: str) -> str:
    """Return a word without the endings that tell forms of one English word apart."""
    if len(word) <= 3 or not word.isascii():
        return word
    word = _make_singular(word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def _make_singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    return word.removesuffix("s") if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


_SYNONYMS: Final = {stem_word(word): stem_word(line.split()[0]) for line in _SAME for word in line.split()}
