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
from pentad.domain.taint.sources import merge_sources
from pentad.memory.facts.extract import RECIPE, FoundFact
from pentad.memory.facts.gate import junk, sentences, unreal
from pentad.memory.facts.gate.secrets import has_secret
from pentad.memory.facts.gate.support import find_unsupported, is_related
from pentad.memory.facts.normal_forms import (
    find_content,
    normalize_subject,
    normalize_value,
    split_words,
)
from pentad.memory.facts.timeline import Statement
from pentad.memory.remember.ports import Spoken

SURE: Final = 0.7
"""The confidence that is asked for where the tables of phrases don't know the language."""
LONGEST_MESSAGE: Final = 100_000
"""Of what is typed; so a gate's work is bounded."""
_READ_CHARACTERS: Final = 20_000
_ANSWER_WORDS: Final = 6
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
            or self._find_unsupported(found, text, sentence, place)
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
        later = next((one for one in self._spoken[place + 1 :] if one.speaker == "user"), None)
        if later is not None and junk.is_retraction(later.words):
            return "the user took it back in the next message"
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

    def _find_unsupported(self, found: FoundFact, text: str, sentence: str, place: int) -> str | None:
        """Return why a text says more than its evidence, or None where it does not."""
        spoken = self._spoken[place]
        if junk.is_foreign(spoken.words):
            return unreal.find_left_out(text, [sentence])  # The rest can't be told: it may be a translation.
        before = self._spoken[place - 1].words if place else ""
        return find_unsupported(
            text,
            spoken.words,
            before,
            said_at=spoken.at,
            sentence=sentence,
            contrasted=found.kind == "correction" and _is_contrasted(found, sentence),
        )

    def _find_taint(self, text: str, place: int) -> tuple[str, ...]:
        """Return the sources of untrusted text that led to what a fact says.

        A text whose words are its speaker's has its message's. Others took words of the message before: "yes" does.
        """
        spoken = self._spoken[place]
        own = set(find_content(spoken.words))
        more = any(word not in own and not is_related(word, own) for word in find_content(text))
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


def find_retracting(spoken: Sequence[Spoken]) -> Spoken | None:
    """Return the first message of a user in a part, where it takes back what was said before the part."""
    first = next((one for one in spoken if one.speaker == "user"), None)
    return first if first is not None and junk.is_retraction(first.words) else None


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
        (not behaves and unreal.is_staged(sentence), "it is played, or made up for a test"),
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
        (not stands and (junk.is_laughing(sentence) or unreal.is_mocking(sentence)), "the user was joking"),
        (not stands and junk.is_foreign(sentence) and found.confidence < SURE, "the model was not sure of it"),
        (not stands and junk.is_dangling(text), "it can't be understood alone"),
        (not behaves and junk.is_vague(sentence), "it says nothing definite"),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _is_contrasted(found: FoundFact, sentence: str) -> bool:
    """Tell whether a sentence holds what was wrong beside what is right."""
    wrong = set(find_content(found.replaces))
    return bool(wrong) and wrong <= set(find_content(sentence))


def _is_corrected(found: FoundFact, sentence: str) -> bool:
    """Tell whether a sentence says what was wrong, or is a correction that claims something."""
    wrong = set(find_content(found.replaces))
    if not junk.is_correction(sentence):
        return False
    contrasted = junk.is_first_person(sentence) and re.search(r"\bnot \w", sentence) is not None
    return bool(wrong & set(find_content(sentence))) or contrasted or junk.is_own_claim(sentence)


def _refuse(found: FoundFact, reason: str, *, secret: bool = False) -> Gated:
    text = "" if secret else " ".join(found.text.split())[:FACT_CHARACTERS]
    return Gated(None, GateVerdict(outcome="refused", reason=reason, text=text, seq=max(0, found.seq)))
