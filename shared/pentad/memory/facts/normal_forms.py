"""Normal forms of what is said: equal forms say the same, whatever the case, the articles and the marks. Pure."""

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"\w+(?:[.,:/@+&-]\w+)*|[^\W\d_]", re.UNICODE)
_CONTRACTED: Final = (
    (re.compile(r"\b(can)(?:'t|not)\b"), r"\1 not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'s\b"), " "),
    (re.compile(r"\bno longer\b|\bnot any ?more\b"), "not"),
)
# Words that say nothing of their own: who the user is, articles, forms of "to be" and the like.
_EMPTY: Final = frozenset(
    "a an and are am as at be been being by do does did doing has have had he her him his i in is it its me "
    "my of on or our she so that the their them they this to us user users was we were with you your also just "
    "really very der die das ein eine ist und ich mein meine le la les un une est et je mon ma el los las es y yo "
    "mi mis ne".split()
)
_NEGATIONS: Final = frozenset(
    "not no never nor none nobody without neither hardly rarely barely seldom scarcely kein keine keinen keinem "
    "keiner nicht nie niemals niemand kaum pas jamais aucun aucune gu\u00e8re sin nunca nadie jam\u00e1s ningun "
    "ning\u00fan ninguna".split()
)
# What ends is no more: ``I stopped smoking`` denies what ``The user smokes`` says, and ``I never stopped`` does not.
_ENDED: Final = re.compile(
    r"\b(?:stopped|quit|quitted|ceased|stop|stopping|given up|gave up) (?:\w+ing\b|(?:my|the) (?:job|post|position)\b)"
)
_ENDINGS: Final = (("ingly", 4), ("edly", 4), ("ing", 4), ("ies", 4), ("ed", 4), ("es", 4), ("s", 3))


def split_words(text: str) -> list[str]:
    """Return the words of a text in small letters, composed, with contractions written out."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").replace("\u2018", "'")
    for pattern, written in _CONTRACTED:
        plain = pattern.sub(written, plain)
    return _WORD.findall(plain)


def find_content(text: str) -> list[str]:
    """Return the words of a text that say something, by their stems, without negations."""
    return [_stem(word) for word in split_words(text) if word not in _EMPTY and word not in _NEGATIONS]


def is_negated(text: str) -> bool:
    """Tell whether a text denies what it says; two negations are none."""
    return count_negations(text) % 2 == 1


def count_negations(text: str) -> int:
    """Return how many words of a text deny something; ``neither ... nor`` does once, and so does ``ne ... pas``."""
    words = split_words(text)
    denied = sum(1 for word in words if word in _NEGATIONS and not (word == "nor" and "neither" in words))
    return denied + len(_ENDED.findall(" ".join(words)))


def find_numbers(text: str) -> frozenset[str]:
    """Return the words of a text that have a digit: amounts, dates, house numbers, versions."""
    return frozenset(word for word in split_words(text) if any(letter.isdigit() for letter in word))


def normalize_value(text: str) -> str:
    """Return what a text says as its normal form; a denial is another value than what it denies."""
    content = " ".join(find_content(text))
    return f"not {content}".strip() if is_negated(text) else content


def normalize_subject(subject: str) -> str:
    """Return a subject's normal form: ``the user's home`` and ``Home`` are one."""
    return " ".join(find_content(subject)) or "user"


def _stem(word: str) -> str:
    """Return a word without a common English ending; three letters at least stay."""
    if any(letter.isdigit() for letter in word):
        return word
    for ending, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word
