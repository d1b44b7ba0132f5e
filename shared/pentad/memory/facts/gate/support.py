"""Tell whether a candidate's text says what its evidence says: no more, not of another one, not the contrary. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import islice, pairwise, takewhile
from typing import Final

from pentad.memory.facts.gate import junk, phrases, unreal
from pentad.memory.facts.normal_forms import find_content, find_numbers, is_negated, split_words

SUPPORTED: Final = 0.6
"""The share of a text's words that have to stand in its evidence or in the question that it answers."""
_CONTRASTED: Final = 0.5
"""The same of "It's Kiel, not Bonn", which leaves out what it is about."""
_NAME: Final = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z\u00c0-\u00de][\w'-]+")
_RELATIVE: Final = re.compile(
    r"\b(?:today|yesterday|tomorrow|tonight|last|next|this|ago|since|week|month|year|day|monday|tuesday|wednesday|"
    r"thursday|friday|saturday|sunday|spring|summer|autumn|fall|winter|heute|gestern|morgen|letzte\w*|"
    r"n[\u00e4a]chste\w*|hier|demain|ayer|ma[\u00f1n]ana)\b",
    re.IGNORECASE,
)
_CALENDAR: Final = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday".split()
)
_FREQUENT: Final = frozenset(find_content("often always usually regularly frequently sometimes ever still"))
_MONTH: Final = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
_OF_A_DATE: Final = re.compile(
    r"(?:19|20)\d\d|(?:19|20)\d\d-\d\d(?:-\d\d)?|\d{1,2}(?:st|nd|rd|th)?|\d{1,2}[./]\d{1,2}(?:[./]\d{2,4})?"
)
_COUNTS: Final = {
    word: str(number)
    for number, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_REACH: Final = 3
"""Words behind a number that it may count: two adjectives and what they describe."""
_PREPOSITIONS: Final = frozenset("at for from into near since than to until with about more others".split())
_THOUSANDS: Final = re.compile(r"(?<=\d)[.,' \u00a0\u202f](?=\d{3}(?!\d))")
_GROUPED: Final = re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)")
_DECIMAL: Final = re.compile(r"\d+[.,]\d+")


def find_unsupported(
    text: str, spoken: str, before: str, *, said_at: datetime, sentence: str, contrasted: bool
) -> str | None:
    """Return why a text says more than its evidence, or something else, or None where it does not.

    Args:
        text: the candidate's.
        spoken: the own words of the message that it names.
        before: those of the message before.
        said_at: when it was said.
        sentence: the sentences that hold its evidence.
        contrasted: they say what is right beside what is wrong.
    """
    heard = f"{spoken}\n{before}"
    words = {form for word in split_words(heard) for form in (word, _COUNTS.get(word, word))}
    dated = _RELATIVE.search(spoken) is not None
    for number in find_numbers(text) - words:
        if not _has_number(heard, words, number) and not _is_date(number, text, said_at, dated=dated):
            return "its text has a number that its evidence does not have"
    for name in _NAME.findall(text):
        parts = set(split_words(name)) - words
        if parts - _CALENDAR and not (parts & _CALENDAR and dated):
            return "its text has a name that its evidence does not have"
    if _swaps_numbers(text, heard):
        return "its text has a number of something else"
    content, known = set(find_content(text)), set(find_content(heard))
    plain = {word for word in content if not any(letter.isdigit() for letter in word)} - _CALENDAR - set(_COUNTS)
    shared = sum(1 for word in plain if word in known or is_related(word, known))
    if plain and shared < (_CONTRASTED if contrasted else SUPPORTED) * len(plain):
        return "its text is not supported by its evidence"
    clauses = [clause for clause in phrases.CLAUSE_END.split(sentence) if clause.strip()]
    if _is_of_another(text, clauses):
        return "its evidence is about somebody else"
    if _is_contrary(text, clauses):
        return "its text denies what its evidence says, or the other way round"
    return unreal.find_left_out(text, clauses)


def is_related(word: str, known: set[str]) -> bool:
    """Tell whether a word shares its beginning with one that was said: ``vegetarian`` and ``vegetarians``."""
    return len(word) >= 5 and any(other[:5] == word[:5] for other in known if len(other) >= 5)


def _is_of_another(text: str, clauses: Sequence[str]) -> bool:
    """Tell whether the words stand where the user speaks of somebody, whom the text does not name.

    ``My father has diabetes`` is no evidence that the user has.
    """
    content = set(find_content(text))
    parts = [part for clause in clauses for part in _split_described(clause)]
    shared = [len(content & set(find_content(part))) for part, _ in parts]
    best = [part for part, count in zip(parts, shared, strict=True) if count and count == max(shared)]
    if not best or not all(described or _speaks_of_another(part) for part, described in best):
        return False
    names = {named["name"] for part, _ in best for named in phrases.NAMED.finditer(part)}
    return phrases.PERSON.search(text) is None and not any(name in text for name in names)


def _split_described(clause: str) -> list[tuple[str, bool]]:
    """Return a clause in two where it describes somebody, with whether a part does: ``a son | with an allergy``."""
    found = phrases.DESCRIBED.search(clause)
    if found is None or phrases.IS_ONE.search(clause[: found.start()] + " ") is not None:
        return [(clause, False)]
    tail = clause[found.end() :]
    return [(clause, False)] if phrases.OF_ME.search(tail) else [(clause[: found.end()], False), (tail, True)]


def _speaks_of_another(clause: str) -> bool:
    rest = junk.cut_lead(clause)
    learned = [*phrases.LEARNED_OF.finditer(rest)]
    if learned:
        rest = rest[learned[-1].end() :]
    if phrases.OF_ANOTHER.match(rest) is None:
        return False
    return phrases.TELLS.match(rest) is not None or phrases.OF_ME.search(rest) is None


def _is_contrary(text: str, clauses: Sequence[str]) -> bool:
    """Tell whether a text denies what each clause with all of its words says, or says what each of them denies."""
    content = set(find_content(text)) - _FREQUENT
    holding = [junk.cut_lead(clause) for clause in clauses if content <= set(find_content(clause))]
    firm = [clause for clause in holding if phrases.NOT_ONLY.search(clause) is None]
    return bool(firm) and firm == holding and all(is_negated(clause) != is_negated(text) for clause in firm)


def _swaps_numbers(text: str, heard: str) -> bool:
    """Tell whether a number stands beside a word that has another one in the evidence: ``3 dogs`` of ``2 dogs``."""
    written, spoken = ([_COUNTS.get(word, word) for word in split_words(_join_thousands(one))] for one in (text, heard))
    said, loose = _find_counted(spoken, _REACH), _find_uncounted(spoken)
    known = {word for _, word in said}
    return any(pair not in said and pair[1] in known and pair[0] not in loose for pair in _find_counted(written, 1))


def _join_thousands(text: str) -> str:
    return _THOUSANDS.sub("", _GROUPED.sub(lambda found: _THOUSANDS.sub("", found[0]), text))


def _has_number(heard: str, words: set[str], number: str) -> bool:
    """Tell whether a number was said: as a word's own digits (``3pm``), or with thousands marked in another way."""
    if _THOUSANDS.sub("", number) in {_THOUSANDS.sub("", one) for one in (*words, *_GROUPED.findall(heard))}:
        return True
    inside = re.compile(rf"(?<!\d){re.escape(number)}(?!\d)")
    return any(inside.search(word) for word in words if not _DECIMAL.fullmatch(word))


def _find_counted(words: Sequence[str], reach: int) -> set[tuple[str, str]]:
    """Return each number with the words behind it that say something, at most so many: ``2 big dogs``."""
    found: set[tuple[str, str]] = set()
    for place, number in enumerate(words):
        if number.isdigit():
            behind = takewhile(lambda word: not word[:1].isdigit() and find_content(word), words[place + 1 :])
            found |= {(number, stem) for word in islice(behind, reach) for stem in find_content(word)}
    return found


def _find_uncounted(words: Sequence[str]) -> set[str]:
    """Return the numbers that stand with no word of their own: ``then 2 at Siemens``."""
    return {
        number
        for number, word in pairwise([*words, ""])
        if number.isdigit() and (not find_content(word) or word in _PREPOSITIONS)
    }


def _is_date(number: str, text: str, at: datetime, *, dated: bool) -> bool:
    """Tell whether a number is of a date: that on which something was said, or one reckoned from it.

    Args:
        number: a word with digits.
        text: in which it stands; a day or a month by itself is a number like any other.
        at: when it was said.
        dated: it was said with words that tell a date: ``since March``, ``next week``.
    """
    if len(number) <= 2 and _MONTH.search(text) is None and str(at.year) not in text:
        return False
    if number in {str(at.year), str(at.month), str(at.day), f"{at:%Y-%m-%d}", f"{at:%m}", f"{at:%d}"}:
        return True
    return dated and _OF_A_DATE.fullmatch(number) is not None
