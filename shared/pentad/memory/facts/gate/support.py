"""Tell whether a candidate's text says what its evidence says: no more, not of another one, not the contrary. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from pentad.memory.facts.gate import junk, phrases
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
_COUNTS: Final = {
    word: str(number)
    for number, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}


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
    said = "".join(sorted(words))
    for number in find_numbers(text) - words:
        if not dated and not _is_date_of(number, said_at) and number not in said:
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
    return None


def is_related(word: str, known: set[str]) -> bool:
    """Tell whether a word shares its beginning with one that was said: ``vegetarian`` and ``vegetarians``."""
    return len(word) >= 5 and any(other[:5] == word[:5] for other in known if len(other) >= 5)


def _is_of_another(text: str, clauses: Sequence[str]) -> bool:
    """Tell whether the words stand where the user speaks of somebody, whom the text does not name.

    ``My father has diabetes`` is no evidence that the user has.
    """
    content = set(find_content(text))
    shared = [len(content & set(find_content(clause))) for clause in clauses]
    best = [clause for clause, count in zip(clauses, shared, strict=True) if count and count == max(shared)]
    if not best or not all(map(_speaks_of_another, best)):
        return False
    names = {named["name"] for clause in best for named in phrases.NAMED.finditer(clause)}
    return phrases.PERSON.search(text) is None and not any(name in text for name in names)


def _speaks_of_another(clause: str) -> bool:
    rest = junk.cut_lead(clause)
    if phrases.OF_ANOTHER.match(rest) is None:
        return False
    return phrases.TELLS.match(rest) is not None or phrases.OF_ME.search(rest) is None


def _is_contrary(text: str, clauses: Sequence[str]) -> bool:
    """Tell whether a text denies what each clause with all of its words says, or says what each of them denies."""
    content = set(find_content(text))
    holding = [junk.cut_lead(clause) for clause in clauses if content <= set(find_content(clause))]
    firm = [clause for clause in holding if phrases.NOT_ONLY.search(clause) is None]
    return bool(firm) and firm == holding and all(is_negated(clause) != is_negated(text) for clause in firm)


def _swaps_numbers(text: str, heard: str) -> bool:
    """Tell whether a number stands beside a word that has another one in the evidence: ``3 dogs`` of ``2 dogs``."""
    told, said = _find_counted(text), _find_counted(heard)
    known = {word for _, word in said}
    return any(pair not in said and pair[1] in known for pair in told)


def _find_counted(text: str) -> set[tuple[str, str]]:
    words = [_COUNTS.get(word, word) for word in split_words(text)]
    return {
        (number, stem)
        for number, word in pairwise(words)
        if number.isdigit() and not word[:1].isdigit()
        for stem in find_content(word)
    }


def _is_date_of(number: str, at: datetime) -> bool:
    """Tell whether a number belongs to the date on which something was said."""
    return number in {str(at.year), str(at.month), str(at.day), f"{at:%Y-%m-%d}", f"{at:%m}", f"{at:%d}"}
