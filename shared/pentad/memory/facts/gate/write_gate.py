"""The write gate: what a model names as worth remembering is kept only with evidence, and only if it is no junk. Pure.

A candidate has to stand in a user's own words, word for word; it must not hold a secret, nor say more than its evidence
does; and what was asked, supposed, felt for a moment, quoted, pasted, joked or said about the conversation itself is
not remembered. Each refusal has one reason, in words that are shown to the user.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final

from pentad.domain.memories.facts import (
    FACT_CHARACTERS,
    QUOTE_CHARACTERS,
    SUBJECT_CHARACTERS,
    FactEvidence,
    FactKind,
    GateVerdict,
)
from pentad.domain.secrets import mask_secrets
from pentad.domain.taint.sources import merge_sources
from pentad.memory.facts.extract import RECIPE, FoundFact
from pentad.memory.facts.gate import junk, sentences
from pentad.memory.facts.normal_forms import (
    find_content,
    find_numbers,
    normalize_subject,
    normalize_value,
    split_words,
)
from pentad.memory.facts.timeline import Statement
from pentad.memory.remember.ports import Spoken

SUPPORTED: Final = 0.6
"""The share of a text's words that have to stand in its evidence or in the question that it answers."""
SURE: Final = 0.7
"""The confidence that is asked for where the tables of phrases don't know the language."""
LONGEST_MESSAGE: Final = 100_000
"""Of what is typed; so a gate's work is bounded."""
_READ_CHARACTERS: Final = 20_000
_ANSWER_WORDS: Final = 6
_CREDENTIAL: Final = re.compile(
    r"\b(?:pass ?(?:word|code|phrase)|pwd|pin(?: code| number)?|cvv|cvc|otp|one-time code|security (?:code|answer|"
    r"question)|secret|api key|token|private key|recovery (?:code|phrase)|seed phrase|ssn|social security|"
    r"passwort|kennwort|geheimzahl|mot de passe|contrase[\u00f1n]a|clave)\b",
    re.IGNORECASE,
)
_CARD: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
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
_MARKUP: Final = re.compile(r"<[^<>]{0,200}>|\[cite:[^\]]{0,100}\]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Gated:
    """What the gate says of one candidate: a statement to keep, or why it is refused."""

    statement: Statement | None
    verdict: GateVerdict


class WriteGate:
    """Judges the candidates of one part of a conversation.

    Args:
        session_id: the session.
        spoken: what was said in it, in order; candidates name these messages.
        now: when it is read.
    """

    def __init__(self, session_id: str, spoken: Sequence[Spoken], now: datetime) -> None:
        self._session_id = session_id
        self._spoken = list(spoken)
        self._places = {one.seq: place for place, one in enumerate(self._spoken)}
        self._now = now

    def judge(self, found: FoundFact) -> Gated:
        """Return whether a candidate is kept, and as what."""
        text = " ".join(found.text.split())
        if has_secret(f"{text}\n{found.quote}\n{found.subject}"):
            return _refuse(found, "it holds what looks like a secret", secret=True)
        place = self._places.get(found.seq)
        if place is None:
            return _refuse(found, "it names no message of this part of the conversation")
        spoken = self._spoken[place]
        if len(spoken.text) > LONGEST_MESSAGE:
            return _refuse(found, f"its message has more than {LONGEST_MESSAGE:,} characters: it was pasted")
        where = sentences.find_quote(spoken.text, found.quote)
        if where is None:
            return _refuse(found, "its quotation is not in the message")
        start, end = sentences.find_sentence(spoken.text, *where)
        sentence = spoken.text[start:end]
        if has_secret(sentence):
            return _refuse(found, "it holds what looks like a secret", secret=True)
        reason = (
            _find_bad_form(found, text)
            or self._find_strange_words(spoken, where, place, found)
            or _find_junk(found, text, sentence, answers=self._answers(sentence, place))
            or self._find_other_subject(found, sentence, place)
            or self._find_unsupported(text, spoken, place)
        )
        if reason is not None:
            return _refuse(found, reason)
        return self._keep(found, text, place, where)

    def _find_strange_words(self, spoken: Spoken, where: tuple[int, int], place: int, found: FoundFact) -> str | None:
        """Return why the words are not those of the user, or None where they are."""
        if not sentences.is_own(spoken, *where):
            return "its evidence repeats what was recalled, or what a tool returned"
        if sentences.overlaps_any(sentences.find_pasted(spoken.text), *where):
            return "its evidence is quoted, pasted or played, not the user's own statement"
        if junk.is_joke(spoken.text):
            return "the user was joking"
        if junk.is_taken_back(spoken.text[where[0] :]):
            return "the user took it back in the same message"
        following = self._spoken[place + 1] if place + 1 < len(self._spoken) else None
        if spoken.speaker == "user":
            return None
        if found.kind != "behaviour":
            return "only the assistant said so"
        if following is None or following.speaker != "user" or not junk.is_success(following.text):
            return "the user did not say that it was right"
        return None

    def _find_other_subject(self, found: FoundFact, sentence: str, place: int) -> str | None:
        """Return why it is not about the user, or None where it is."""
        if found.kind == "behaviour" or junk.is_first_person(sentence):
            return None
        if found.kind == "correction" and _is_corrected(found, sentence):
            return None
        if found.kind == "preference" and junk.is_lasting(sentence):
            return None
        return None if self._answers(sentence, place) else "it is not about the user"

    def _answers(self, sentence: str, place: int) -> bool:
        """Tell whether a sentence is a short answer, such as ``Berlin.`` to ``Where do you live?``."""
        asked = self._spoken[place - 1] if place else None
        if asked is None or asked.speaker != "assistant" or not junk.is_question(asked.text.rstrip()[-200:]):
            return False
        return len(split_words(sentence)) <= _ANSWER_WORDS and junk.is_definite_answer(sentence)

    def _find_unsupported(self, text: str, spoken: Spoken, place: int) -> str | None:
        """Return why a text says more than its evidence, or None where it does not."""
        if junk.is_foreign(spoken.words):
            return None  # The text may be a translation.
        before = self._spoken[place - 1].words if place else ""
        heard = f"{spoken.words}\n{before}"
        words = set(split_words(heard))
        dated = _RELATIVE.search(spoken.words) is not None
        said = "".join(sorted(words))
        for number in find_numbers(text) - words:
            if not dated and not _is_date_of(number, spoken.at) and number not in said:
                return "its text has a number that its evidence does not have"
        for name in _NAME.findall(text):
            parts = set(split_words(name)) - words
            if parts - _CALENDAR and not (parts & _CALENDAR and dated):
                return "its text has a name that its evidence does not have"
        content, known = set(find_content(text)), set(find_content(heard))
        plain = {word for word in content if not any(letter.isdigit() for letter in word)} - _CALENDAR
        shared = sum(1 for word in plain if word in known or _is_related(word, known))
        if plain and shared < SUPPORTED * len(plain):
            return "its text is not supported by its evidence"
        return None

    def _find_taint(self, text: str, place: int) -> tuple[str, ...]:
        """Return the sources of untrusted text that led to what a fact says.

        A text whose words are its speaker's has its message's. Others took words of the message before: "yes" does.
        """
        spoken = self._spoken[place]
        own = set(find_content(spoken.words))
        more = any(word not in own and not _is_related(word, own) for word in find_content(text))
        return merge_sources(spoken.taint, self._spoken[place - 1].taint if place and more else ())

    def _keep(self, found: FoundFact, text: str, place: int, where: tuple[int, int]) -> Gated:
        spoken = self._spoken[place]
        quote = spoken.text[where[0] : where[1]][:QUOTE_CHARACTERS]
        kind: FactKind = found.kind
        evidence = FactEvidence(
            session_id=self._session_id,
            seq=spoken.seq,
            start=where[0],
            end=where[0] + len(quote),
            quote=quote,
            said_at=spoken.at,
            learned_at=self._now,
            replaces=" ".join(found.replaces.split())[:FACT_CHARACTERS],
            taint=self._find_taint(text, place),
        )
        statement = Statement(
            kind=kind,
            text=text,
            subject=normalize_subject(found.subject)[:SUBJECT_CHARACTERS],
            value=normalize_value(text) or text.casefold(),
            single=found.single,
            said_at=spoken.at,
            learned_at=self._now,
            source=spoken.speaker,
            confidence=min(1.0, max(0.0, found.confidence)),
            evidence=evidence,
            expires_at=parse_end(found.until),
            recipe=RECIPE,
        )
        return Gated(statement, GateVerdict(outcome="kept", reason="new", text=text, seq=spoken.seq))


def may_teach(spoken: Sequence[Spoken]) -> bool:
    """Tell whether a user said anything that the gate could let through: no model is asked about questions alone."""
    for place, one in enumerate(spoken):
        if one.speaker != "user":
            continue
        before = spoken[place - 1] if place else None
        asked = before is not None and before.speaker == "assistant" and junk.is_question(before.text.rstrip()[-200:])
        text = one.text[:_READ_CHARACTERS]
        if any(_may_say_something(text[start:end], asked=asked) for start, end in sentences.split_spans(text)):
            return True
        if len(one.text) > _READ_CHARACTERS or (place and junk.is_success(one.text)):
            return True  # More than is looked at here; or an answer was called right, which is a behaviour.
    return False


def _may_say_something(sentence: str, *, asked: bool) -> bool:
    if junk.is_question(sentence):
        return False
    if junk.is_small_talk(sentence):
        return asked and junk.is_definite_answer(sentence)
    return junk.is_lasting(sentence) or not (junk.is_request(sentence) or junk.is_reaction(sentence))


def has_secret(text: str) -> bool:
    """Tell whether a text holds a credential, says that it does, or has the number of a payment card."""
    if mask_secrets(text) != text:
        return True
    if any(_is_card(re.sub(r"\D", "", found)) for found in _CARD.findall(text)):
        return True
    return _CREDENTIAL.search(text) is not None


def parse_end(until: str) -> datetime | None:
    """Return the end of a day YYYY-MM-DD, UTC; None where a model has written something else."""
    try:
        day = datetime.fromisoformat(until.strip()[:10]).date()
    except ValueError:
        return None
    return datetime.combine(day, time(23, 59, 59), UTC)


def _find_bad_form(found: FoundFact, text: str) -> str | None:
    if not find_content(text):
        return "it says nothing"
    if "user" not in split_words(text) and not junk.is_foreign(text):
        return "its text is not about the user"
    if len(text) > FACT_CHARACTERS:
        return f"it has more than {FACT_CHARACTERS} characters"
    if _MARKUP.search(text) or _MARKUP.search(found.subject):
        return "its text has marks of the frame around it"
    if junk.is_instruction(f"{text}\n{found.quote}"):
        return "it is an instruction to the model, or claims a right"
    return None


def _find_junk(found: FoundFact, text: str, sentence: str, *, answers: bool) -> str | None:
    """Return why a sentence is not worth remembering, or None where it may be.

    Args:
        found: the candidate.
        text: its text, blanks made one.
        sentence: the sentences that hold its evidence.
        answers: they are a short answer to the assistant's question.
    """
    lasting = junk.is_lasting(sentence)
    behaves = found.kind == "behaviour"
    own = lasting or answers or junk.is_own_claim(sentence)
    stands = behaves or (found.kind == "correction" and _is_corrected(found, sentence))
    reasons = (
        (not answers and junk.is_small_talk(sentence), "it is too short to say anything"),
        (junk.is_question(sentence), "its evidence is a question"),
        (junk.is_guess(sentence), "it is a guess or an example"),
        (not lasting and not behaves and junk.is_about_talk(text, sentence), "it is about the conversation itself"),
        (not stands and not lasting and junk.is_request(sentence), "it is a request for this conversation only"),
        (not stands and not lasting and junk.is_reaction(sentence), "it is a reaction to what was said"),
        (not stands and not lasting and not found.until and junk.is_passing(sentence), "it is about this moment only"),
        (not stands and not lasting and junk.is_of_other_side(sentence), "it speaks of the other side"),
        (
            not stands and not own,
            "it claims nothing of the user",
        ),
        (not stands and not lasting and junk.is_passing_event(sentence), "it is about a passing event"),
        (not stands and junk.is_laughing(sentence), "the user was joking"),
        (not stands and junk.is_foreign(sentence) and found.confidence < SURE, "the model was not sure of it"),
        (not stands and junk.is_dangling(text), "it can't be understood alone"),
        (not behaves and junk.is_vague(sentence), "it says nothing definite"),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _is_corrected(found: FoundFact, sentence: str) -> bool:
    """Tell whether a sentence says what was wrong, or is a correction that claims something."""
    wrong = set(find_content(found.replaces))
    if not junk.is_correction(sentence):
        return False
    contrasted = junk.is_first_person(sentence) and re.search(r"\bnot \w", sentence) is not None
    return bool(wrong & set(find_content(sentence))) or contrasted or junk.is_own_claim(sentence)


def _is_date_of(number: str, at: datetime) -> bool:
    """Tell whether a number belongs to the date on which something was said."""
    return number in {str(at.year), str(at.month), str(at.day), f"{at:%Y-%m-%d}", f"{at:%m}", f"{at:%d}"}


def _is_related(word: str, known: set[str]) -> bool:
    """Tell whether a word shares its beginning with one that was said: ``vegetarian`` and ``vegetarians``."""
    return len(word) >= 5 and any(other[:5] == word[:5] for other in known if len(other) >= 5)


def _is_card(digits: str) -> bool:
    """Tell whether digits have the checksum of a payment card's number (ISO/IEC 7812-1, Luhn)."""
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _refuse(found: FoundFact, reason: str, *, secret: bool = False) -> Gated:
    text = "" if secret else " ".join(found.text.split())[:FACT_CHARACTERS]
    return Gated(None, GateVerdict(outcome="refused", reason=reason, text=text, seq=max(0, found.seq)))
