"""Follow-ups: questions that only make sense with what was said before, answered from the request's own messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twin.simulator.rules.arithmetic import NUMBER
from twin.simulator.rules.prompt import Exchange
from twin.simulator.rules.text import extract_terms, split_sentences, strip_citations

_PRONOUN = re.compile(r"\b(?:it|its|that|this|they|them|their|those|these|one|ones|there|he|she)\b", re.I)
_OPENING = re.compile(
    r"^(?:(?:ok|okay|and|so|but|then|also)\b[\s,]*)*"
    r"(?:what about|how about|why\b|how so|tell me more|more (?:about|details?)|elaborate|go on|continue"
    r"|explain (?:that|it)"
    r"|(?:and|but|so)\b)",
    re.I,
)
_EARLIER = re.compile(
    r"\b(?:what|which)\b.{0,30}\b(?:(?:did|have) i\b.{0,12}\b(?:ask|say|said|tell|told|want)|i (?:asked|said|told))"
    r"|\bmy (?:last|previous|first|earlier) (?:question|message)"
    r"|\brepeat my\b|\bwhat (?:were|was) (?:we|i) (?:talking|asking)",
    re.I,
)
_FIRST = re.compile(r"\bfirst\b|\bat the (?:start|beginning)\b", re.I)
_OWN_ANSWER = re.compile(
    r"\bwhat did you (?:say|answer|tell)|\brepeat (?:that|your|the)|\byour (?:last|previous) answer", re.I
)
_LAST_RESULT = re.compile(
    r"\b(?:what|which) was (?:the|that|my) (?:last |previous |earlier )?(?:result|number|answer|value)", re.I
)
_ORDINAL = re.compile(r"\bthe (first|second|third|fourth|fifth|last) (?:one|point|item|part|option)\b", re.I)
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}

# Words that follow "my name is" or "call me" and are no name, or stand behind one.
_NO_NAME = (
    r"(?!(?:a|an|and|as|at|back|because|but|by|for|from|if|in|is|it|i|later|not|now|of|on|or|please|so|soon|spelled|spelt"
    r"|still|that|the|then|today|tomorrow|tonight|too|very|what|when|who|with|wrong)\b)"
)
_NAME_WORD = rf"{_NO_NAME}[^\W\d_](?:[\w'\u2019-]*\w)?"
# Further words begin with a capital, with a "van" or "de la" before them: what follows in small letters is no name.
_PARTICLES = r"(?:(?:al|bin|da|de|del|der|di|dos|du|el|la|le|van|von|den|ter|zu) ){0,2}"
_WHOLE_NAME = rf"[\"'\u201c\u2018]?({_NAME_WORD}(?: {_PARTICLES}(?-i:(?![a-zß-öø-ÿ])){_NAME_WORD}){{0,3}})"
_NAME = re.compile(rf"\b(?:my name is|i am called|call me|my name['\u2019]s)\s+{_WHOLE_NAME}", re.I)
_SYSTEM_NAME = re.compile(rf"\buser(?:['\u2019]s name is|(?: is)? (?:called|named))\s+{_WHOLE_NAME}", re.I)
_FACT = re.compile(r"\bmy ([a-z][\w -]{1,40}?) (?:is|are|was) (?!what\b)([^.!?\n]+)", re.I)
_ASKS_FACT = re.compile(
    r"\b(?:what|who|which|where|when)(?:'s| is| are| was)? my ([a-z][\w -]{1,40}?)\s*(?:\?|$|again\b)", re.I
)
_ASKS_NAME = re.compile(r"\bwhat(?:'s| is) my name\b|\bwho am i\b|\bmy name\b.*\?", re.I)
_TELLS = re.compile(
    r"^\W*(?:(?:hi|hello|hey)\W*)?(?:remember\b.*?)?(?:my name|my [\w -]+ (?:is|are)|i am called|call me)\b", re.I
)

_REFERENCE = re.compile(
    r"\b(?:that|this|the) (?:last |previous )?(?:result|number|answer|value|sum|amount)\b|\b(?:that|it|this)\b",
    re.I,
)
_OPERATION = re.compile(
    r"\b(?:double|triple|halve|half|square|squared|cubed|add|plus|subtract|minus|multiply|multiplied|times|divide|divided|"
    r"percent|percentage|square root)\b|%|[-+*/^]\s*\d",
    re.I,
)
_DATE_OPERATION = re.compile(r"\b\d+\s+(?:day|week|month|year)s?\b|\bweek\s?day\b|\bday of the week\b", re.I)
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_RESULT_NUMBER = re.compile(rf"\b(?:is|are|returned:?|equals?)\s+({NUMBER})\b(?!-\d)")


@dataclass(frozen=True)
class FollowUp:
    """How the past bears on a question.

    ``answer`` is set where the past alone answers. Otherwise ``question`` has its references filled in, and
    ``background`` holds what it refers back to. ``dangling`` tells that it refers to something that is not there,
    and ``fallback`` is what to say when neither tools nor documents answer either.
    """

    question: str
    answer: str | None = None
    background: str = ""
    dangling: bool = False
    fallback: str = ""


def follow_up(question: str, past: Sequence[Exchange], system: str = "") -> FollowUp:
    """Read a question in the light of the exchanges before it."""
    answer = _from_memory(question, past, system)
    if answer is not None:
        return FollowUp(question, answer)
    filled = _resolve_references(question, past)
    if filled is not None:
        return FollowUp(filled)
    if not is_follow_up(question):
        return FollowUp(question, fallback=_report_missing_fact(question))
    if not past:
        return FollowUp(question, dangling=bool(_is_bare_reference(question)))
    return FollowUp(question, background=_find_background(question, past))


def is_follow_up(question: str) -> bool:
    """Whether a question leans on the past: it opens as a continuation, or has a pronoun and little else."""
    if _ORDINAL.search(question) or _OPENING.match(question.strip()):
        return len(extract_terms(question)) <= 6
    return bool(_PRONOUN.search(question)) and len(extract_terms(_PRONOUN.sub(" ", question))) <= 3


def acknowledge_fact(question: str) -> str | None:
    """Return an acknowledgement where the user tells something about themselves."""
    if "?" in question or not _TELLS.search(question):
        return None
    name = _NAME.search(question)
    if name:
        return f"Nice to meet you, {name[1]}. I will keep your name in mind during this conversation."
    fact = _FACT.search(question)
    return f"Noted: your {fact[1].strip()} is {fact[2].strip()}." if fact else None


def find_last_number(past: Sequence[Exchange]) -> str | None:
    """Return the latest number that an answer gave as a result."""
    for exchange in reversed(past):
        found = _RESULT_NUMBER.findall(_DATE.sub(" ", exchange.answer))
        if found:
            return str(found[-1])
    return None


def find_last_date(past: Sequence[Exchange]) -> str | None:
    """Return the latest date that an answer gave, the last of its dates."""
    for exchange in reversed(past):
        found = _DATE.findall(exchange.answer)
        if found:
            return str(found[-1])
    return None


def _from_memory(question: str, past: Sequence[Exchange], system: str) -> str | None:
    if _EARLIER.search(question):
        asked = [exchange.question.text for exchange in past if exchange.question.text]
        if not asked:
            return "This is the first message of the conversation that I can see, so there is no earlier question."
        return f"You asked: “{asked[0] if _FIRST.search(question) else asked[-1]}”"
    if _OWN_ANSWER.search(question):
        answers = [exchange.answer for exchange in past if exchange.answer]
        return answers[-1] if answers else "I have not answered anything yet in this conversation."
    if _LAST_RESULT.search(question):
        number = find_last_number(past) or find_last_date(past)
        return f"The last result was {number}." if number else "There is no earlier result in this conversation."
    return _recall_fact(question, past, system)


def _recall_fact(question: str, past: Sequence[Exchange], system: str) -> str | None:
    said = [exchange.question.text for exchange in reversed(past)] + ([system] if system else [])
    if _ASKS_NAME.search(question):
        name = next((match[1] for text in said if (match := _NAME.search(text) or _SYSTEM_NAME.search(text))), None)
        return f"Your name is {name}." if name else "You have not told me your name in this conversation."
    asked = _ASKS_FACT.search(question)
    if asked is None:
        return None
    wanted = set(extract_terms(asked[1]))
    for text in said:
        for match in reversed(list(_FACT.finditer(text))):
            if wanted and wanted <= set(extract_terms(match[1])):
                return f"Your {match[1].strip()} is {match[2].strip()}."
    return None


def _report_missing_fact(question: str) -> str:
    asked = _ASKS_FACT.search(question)
    return f"You have not told me your {asked[1].strip()} in this conversation." if asked else ""


def _resolve_references(question: str, past: Sequence[Exchange]) -> str | None:
    """Put the last date or number in the place of a reference to it, where the question does something with it."""
    date, number = find_last_date(past), find_last_number(past)
    if date and _DATE_OPERATION.search(question) and not _DATE.search(question):
        if _REFERENCE.search(question):
            return _REFERENCE.sub(date, question, count=1)
        shift = re.search(r"(\d+\s+(?:day|week|month|year)s?)\s+(later|earlier|more|after|before)", question, re.I)
        if shift:
            return f"{shift[1]} {'before' if shift[2].lower() in ('earlier', 'before') else 'after'} {date}"
    if number is None or not _OPERATION.search(question):
        return None
    if _REFERENCE.search(question) and not re.search(rf"{NUMBER}\s*[-+*/]\s*{NUMBER}", question):
        return _REFERENCE.sub(number, question, count=1)
    return _complete_ellipsis(question, number)


def _complete_ellipsis(question: str, number: str) -> str | None:
    """Complete a bare operation such as ``and in percent?``, ``plus 10?`` or ``double?``."""
    bare = re.sub(
        r"^(?:\W|ok\b|okay\b|and\b|now\b|then\b|so\b|what about\b|how about\b|please\b)+", "", question, flags=re.I
    )
    bare = bare.rstrip("?!. ")
    if re.match(
        r"(?:in|as)\b.*(?:percent|%)|(?:plus|minus|times|divided by|multiplied by|squared|cubed|[-+*/])", bare, re.I
    ):
        return f"{number} {bare}"
    added = re.match(rf"(add|subtract)\s+({NUMBER})$", bare, re.I)
    if added:
        return f"{number} {'+' if added[1].lower() == 'add' else '-'} {added[2]}"
    scaled = re.match(rf"(multiply|divide)\s+by\s+({NUMBER})$", bare, re.I)
    if scaled:
        return f"{number} {'*' if scaled[1].lower() == 'multiply' else '/'} {scaled[2]}"
    return f"{bare} {number}" if re.fullmatch(r"double|triple|halve|square", bare, re.I) else None


def _find_background(question: str, past: Sequence[Exchange]) -> str:
    """Return what a follow-up refers to: an item of the last answer, or the last question that stands alone."""
    ordinal = _ORDINAL.search(question)
    if ordinal:
        items = split_sentences(past[-1].answer)
        index = _ORDINALS[ordinal[1].lower()]
        if items and index < len(items):
            return strip_citations(items[index])
    for exchange in list(reversed(past))[:4]:
        if exchange.question.text and not is_follow_up(exchange.question.text):
            return exchange.question.text
    return past[-1].question.text


def _is_bare_reference(question: str) -> bool:
    """Whether nothing but the reference is left to go by."""
    return len(extract_terms(_PRONOUN.sub(" ", _ORDINAL.sub(" ", question)))) <= 1
