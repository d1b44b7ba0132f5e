"""Find what of an answer repeats what was shown to the model, word for word. Pure.

A quotation may have a lead-in ("As you said: ..."), stand in quotation marks or in a list, be wrapped in other places,
and go on in words of its own. Blanks, marks and capitals may differ. What is said in other words is none.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from pentad.domain.display.markers import iter_markers

SENTENCE_END: Final = re.compile(
    "(?<=[.!?])[\"')\\]\u201d\u2019\u00bb]*\\s+|[\\n\\r\\v\\f\\x85\u2028\u2029]+|(?<=[\u3002\uff01\uff1f])"
)
_CLAUSE_END: Final = re.compile(
    '["(){}\\[\\]\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u300c\u300d\u300e\u300f\uff08\uff09:;,\uff0c\uff1a\uff1b'
    "\u3001\u2013\u2014]|(?<!\\w)['\u2018\u2019]|['\u2019](?!\\w)| - "
)
_NUMBERED: Final = re.compile(r"^[ \t]*\w{1,3}[.)][ \t]+", re.MULTILINE)
"""What numbers an entry of a list: the full stop in it ends no sentence."""
_WORD: Final = re.compile(r"\w+")
_LETTERS: Final = re.compile(r"[\W_]+")
QUOTE_LETTERS: Final = 24
"""A shorter one ("Yes, of course.") is no quotation, wherever else it stands."""
_REST_LETTERS: Final = 12
"""What is left of a sentence behind a quotation is a statement from so many on."""
_LEAD_WORDS: Final = 8
"""So many words of a clause may lead into a quotation: ``You told me that ...``."""
_LONGEST_BEHIND_LEAD: Final = 400
_POOL_CHARACTERS: Final = 200_000
"""So much of what was shown to the model is compared, the newest: a tool may return megabytes."""

Span = tuple[int, int]


class ShownToModel:
    """What was shown to a model, to look up what of its answers repeats it.

    Args:
        texts: the newest last.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        squeezed: list[str] = []
        beginnings: list[str] = []
        self._sentences: dict[str, None] = {}
        room = _POOL_CHARACTERS
        for text in reversed(texts):
            if room <= 0:
                break
            part = text[:room]
            squeezed.append(_squeeze(part))
            for sentence in _split(SENTENCE_END, part, (0, len(part))):
                self._sentences[_squeeze(part[slice(*sentence)])] = None
                for start, _ in _split(_CLAUSE_END, part, sentence):
                    until = min(sentence[1], start + 2 * _LONGEST_BEHIND_LEAD)
                    beginnings.append(_squeeze(part[start:until])[:_LONGEST_BEHIND_LEAD])
            room -= len(text)
        self._text = "\n".join(squeezed)
        self._beginnings = "\n".join(("", *beginnings))

    def find_own(self, answer: str) -> tuple[Span, ...]:
        """Return where an answer repeats nothing, as pairs of offsets in order; neighbouring parts as one."""
        if not self._text.strip():
            return ((0, len(answer)),)
        plain = _blank_marks(answer)
        quoted = _merge([*self._find_whole(plain), *self._find_parts(plain)])
        if not quoted:
            return ((0, len(answer)),)
        own: list[Span] = []
        for sentence in _split(SENTENCE_END, plain, (0, len(plain))):
            for start, end in _find_rest(plain, sentence, quoted):
                if own and own[-1][1] == start:
                    own[-1] = (own[-1][0], end)
                else:
                    own.append((start, end))
        return tuple(own)

    def _find_whole(self, answer: str) -> Iterator[Span]:
        """Yield where sentences that were shown stand in an answer, however it wraps them."""
        letters, places = _map_letters(answer)
        for sentence in self._sentences:
            if len(sentence) < QUOTE_LETTERS:
                continue
            at = letters.find(sentence)
            while at >= 0:
                yield places[at], places[at + len(sentence) - 1] + 1
                at = letters.find(sentence, at + len(sentence))

    def _find_parts(self, answer: str) -> Iterator[Span]:
        """Yield the sentences and clauses that stand in what was shown, without what leads into them."""
        for sentence in _split(SENTENCE_END, answer, (0, len(answer))):
            if self._has(answer[slice(*sentence)]):
                yield sentence
                continue
            for clause in _split(_CLAUSE_END, answer, sentence):
                found = self._find_behind_lead(answer, clause)
                if found is not None:
                    yield found

    def _find_behind_lead(self, answer: str, clause: Span) -> Span | None:
        """Return where a clause repeats what was shown, or the beginning of a clause behind other words.

        Behind other words the middle of a clause is none: ``are not paid ...`` denies what it has in common.
        """
        words = [match.start() for match in _WORD.finditer(answer, *clause)]
        whole = len(_squeeze(answer[slice(*clause)]))
        for number, start in enumerate(words[: _LEAD_WORDS + 1]):
            rest = _squeeze(answer[start : clause[1]])
            if len(rest) < max(QUOTE_LETTERS, whole // 2):
                return None
            if rest in self._text if number == 0 else f"\n{rest}" in self._beginnings:
                return start, clause[1]
        return None

    def _has(self, sentence: str) -> bool:
        squeezed = _squeeze(sentence)
        return len(squeezed) >= QUOTE_LETTERS and squeezed in self._text


def _find_rest(text: str, sentence: Span, quoted: Sequence[Span]) -> list[Span]:
    """Return what of a sentence is no quotation, without what only leads into one or is left of its marks."""
    first = bisect_right(quoted, sentence[0], key=lambda span: span[1])
    last = bisect_left(quoted, sentence[1], key=lambda span: span[0])
    if first >= last:
        return [sentence]
    rest: list[Span] = []
    at = sentence[0]
    for start, end in quoted[first:last]:
        if len(_squeeze(text[at:start])) >= QUOTE_LETTERS:
            rest.append((at, start))
        at = end
    if at < sentence[1] and len(_squeeze(text[at : sentence[1]])) >= _REST_LETTERS:
        rest.append((at, sentence[1]))
    return rest


def _split(mark: re.Pattern[str], text: str, span: Span) -> Iterator[Span]:
    """Yield the parts of a part of a text; each has the marks behind it."""
    start = span[0]
    for match in mark.finditer(text, *span):
        if match.end() > start:
            yield start, match.end()
        start = match.end()
    if span[1] > start:
        yield start, span[1]


def _merge(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _blank_marks(answer: str) -> str:
    """Return an answer without its citations' marks and its lists' numbers: the offsets stay."""
    parts, end = [], 0
    for match in iter_markers(answer):
        parts += [answer[end : match.start()], " " * (match.end() - match.start())]
        end = match.end()
    text = "".join((*parts, answer[end:]))
    return _NUMBERED.sub(lambda match: "-" * len(match[0]), text)


def _map_letters(text: str) -> tuple[str, list[int]]:
    """Return a text's letters and digits in small letters, and where each stands in the text."""
    letters: list[str] = []
    places: list[int] = []
    for word in _WORD.finditer(text):
        for place, letter in enumerate(word[0], word.start()):
            small = "" if letter == "_" else letter.casefold()
            letters.append(small)
            places += [place] * len(small)
    return "".join(letters), places


def _squeeze(text: str) -> str:
    """Return a text's letters and digits alone."""
    return _LETTERS.sub("", text).casefold()
