"""Words of a text in any script, as they are indexed and searched for, and how well they match (BM25). Pure.

Every store indexes the same words: the text is cut, folded and stemmed here and not by the store, so a question finds
the same passages wherever they are. `split_words` of what it returned, joined by blanks, returns the same again.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

K1: Final = 1.2
B: Final = 0.75
MAX_WORD_BYTES: Final = 40
"""Of a longer run of letters (a hash) the beginning is its word: Pinecone's text search would drop it."""
MAX_QUERY_WORDS: Final = 256
_FULL_CHARACTERS: Final = 6

# Letters and digits with their marks; combining marks are part of a word in scripts of India and Southeast Asia.
_RUN: Final = re.compile(r"[^\W_]+(?:[\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e\u1000-\u109f\u1780-\u17d3]+[^\W_]*)*")
# Accents of scripts that are read without them; and the bar that stretches Arabic words.
_UNREAD: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]+")
# Scripts without blanks: pairs of characters are their words.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_ASCII: Final = re.compile(r"[a-z]+")
_VOWEL: Final = re.compile(r"[aeiouy]")
# English endings, longest first, with what takes their place; the rest must have a vowel and three letters.
_ENDINGS: Final = (
    ("ational", "ate"),
    ("ization", "ize"),
    ("fulness", "ful"),
    ("iveness", "ive"),
    ("ousness", "ous"),
    ("ications", "ic"),
    ("ication", "ic"),
    ("ations", ""),
    ("ation", ""),
    ("ities", ""),
    ("ments", ""),
    ("ment", ""),
    ("ness", ""),
    ("ions", ""),
    ("ity", ""),
    ("ion", ""),
    ("ings", ""),
    ("ing", ""),
    ("ies", "i"),
    ("ied", "i"),
    ("ers", ""),
    ("ely", ""),
    ("ed", ""),
    ("er", ""),
    ("ly", ""),
    ("es", ""),
    ("s", ""),
    ("e", ""),
)


def split_words(text: str) -> list[str]:
    """Return the words of a text in order: folded, stemmed, without accents; pairs of characters in unspaced scripts.

    Args:
        text: in any script; nothing of it is markup.
    """
    words: list[str] = []
    for match in _RUN.finditer(_fold(text)):
        run, position = match[0], 0
        for unspaced in _UNSPACED.finditer(run):
            _add_word(words, run[position : unspaced.start()])
            words += _pair_characters(unspaced[0])
            position = unspaced.end()
        _add_word(words, run[position:])
    return words


def pick_query_words(text: str) -> list[str]:
    """Return the words to search for, each once, in order of appearance, at most 256."""
    return list(dict.fromkeys(split_words(text)))[:MAX_QUERY_WORDS]


def stem_word(word: str) -> str:
    """Return what an English word has in common with its other forms; other words lose at most such an ending.

    The same is done to questions and texts, so a wrong ending costs little. The stem of a stem is itself.
    """
    while (shorter := _cut_ending(word)) != word:
        word = shorter
    return word


def guess_rarity(word: str) -> float:
    """Return 0 to 1: how much a word says, as far as its length tells; short words are mostly common ones."""
    return min(1.0, len(word) / _FULL_CHARACTERS) ** 2 if word.isascii() else 1.0


def covers(question: str, text: str, share: float) -> bool:
    """Return whether a text has most of a question's words, each counted by what it says.

    What it has must amount to one long word at least, or be all there is: "what is" covers no question.

    Args:
        question: what is asked.
        text: what may answer it.
        share: of what the question's words say, 0 to 1.
    """
    words = pick_query_words(question)
    known = set(split_words(text))
    total = math.fsum(map(guess_rarity, words))
    found = math.fsum(guess_rarity(word) for word in words if word in known)
    return found > 0 and found >= max(share * total, min(1.0, total)) - 1e-9


def weigh_word(documents: int, frequency: int) -> float:
    """Return what a word says about a text: the rarer it is among all texts, the more."""
    return math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))


class WordIndex:
    """The words of texts by id, held in memory. Not safe under threads."""

    def __init__(self) -> None:
        self._postings: dict[str, dict[str, int]] = {}
        self._words: dict[str, tuple[str, ...]] = {}
        self._lengths: dict[str, int] = {}
        self._total = 0

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._words)

    def put(self, name: str, words: Iterable[str]) -> None:
        """Index a text's words, instead of those that were indexed under that name."""
        self.drop(name)
        counts = Counter(words)
        self._words[name] = tuple(counts)
        self._lengths[name] = counts.total()
        self._total += self._lengths[name]
        for word, count in counts.items():
            self._postings.setdefault(word, {})[name] = count

    def drop(self, name: str) -> None:
        """Forget a text; one that is not there is no error."""
        known = self._words.pop(name, None)
        if known is None:
            return
        self._total -= self._lengths.pop(name)
        for word in known:
            postings = self._postings[word]
            del postings[name]
            if not postings:
                del self._postings[word]

    def score(self, query: Collection[str]) -> dict[str, float]:
        """Return the BM25 score of every text that has one of the words."""
        scores: dict[str, float] = {}
        mean = self._total / (len(self._words) or 1) or 1.0
        for word in query:
            postings = self._postings.get(word, {})
            weight = weigh_word(len(self._words), len(postings)) * (K1 + 1)
            for name, count in postings.items():
                norm = K1 * (1 - B + B * self._lengths[name] / mean)
                scores[name] = scores.get(name, 0.0) + weight * count / (count + norm)
        return scores


def _fold(text: str) -> str:
    # Compatibility forms and accents go where a letter stays; marks of scripts that need them stay.
    if text.isascii():
        return text.lower()
    # Twice: there are capital letters that only a compatibility form makes of a symbol.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _UNREAD.sub("", decomposed))


def _pair_characters(text: str) -> list[str]:
    characters: list[str] = []
    for one in text:
        if characters and unicodedata.category(one).startswith("M"):
            characters[-1] += one
        else:
            characters.append(one)
    return ["".join(characters[at : at + 2]) for at in range(max(1, len(characters) - 1))]


def _add_word(words: list[str], word: str) -> None:
    if word:
        words.append(stem_word(word.encode()[:MAX_WORD_BYTES].decode(errors="ignore")))


def _cut_ending(word: str) -> str:
    if len(word) < 4 or not _ASCII.fullmatch(word):
        return word
    for ending, instead in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest is not word and rest != word and len(rest) >= 3 and _VOWEL.search(rest):
            if ending == "s" and rest.endswith(("s", "u", "i")):
                return word
            if ending in ("ed", "ing", "er", "ings", "ers") and rest[-1] == rest[-2] and rest[-1] not in "lsz":
                rest = rest[:-1]
            return rest + instead
    return word[:-1] + "i" if word.endswith("y") and _VOWEL.search(word[:-1]) else word
