"""Find what is worth remembering in a conversation, as a model that is asked for it: by plain rules, no judgement.

The request is known by its schema: a list ``facts`` whose items have a quotation. Rules know forms such as "my name
is", "I prefer", "we moved to" and "no, it's ... not ...". They take each sentence of the user's that has one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape

from twin.simulator.neutral import Conversation, Json
from twin.simulator.rules.text import shorten, split_sentences

_MESSAGE = re.compile(r'<message seq="(\d+)" speaker="(\w+)" at="([\d-]+)">(.*?)</message>', re.DOTALL)
_SUMMARY = "running summary of a conversation"
_BEFORE = re.compile(r"<before>\n(.*?)\n</before>", re.DOTALL)
_LINE = re.compile(r"^(user|assistant) \([\d-]+\): (.*)$", re.MULTILINE)
_FIELDS = {"kind", "subject", "text", "seq", "quote", "replaces"}
_LONGEST = 280
_MOST = 30


@dataclass(frozen=True)
class _Form:
    """A form of a statement: what it is about, and how it reads."""

    kind: str
    subject: str
    pattern: re.Pattern[str]
    single: bool = False


def _form(kind: str, subject: str, pattern: str, *, single: bool = False) -> _Form:
    return _Form(kind, subject, re.compile(pattern, re.IGNORECASE), single)


_FORMS = (
    _form(
        "correction",
        "",
        r"^\W*(?:no|nope|actually|sorry|correction|wait)\b[,:. ].*\b(?:it's|it is|is|i meant|are|am|i'm) .*\bnot\b"
        r"|^\W*(?:no|nope|correction|i meant)\b[,:. ]+(?:it's|it is|i meant|my|i)\b",
    ),
    _form(
        "fact",
        "name",
        r"\bmy name(?:'s| is)\b|\bcall me\b|\bi(?:'m| am) called\b|\bich hei(?:\u00df|ss)e\b",
        single=True,
    ),
    _form("preference", "answer style", r"\b(?:always|never|from now on|in future|please (?:always|never))\b"),
    _form(
        "preference", "preference", r"\bi (?:really |much |would )?(?:prefer|rather)\b|\bi'd rather\b|\bmy favou?rite\b"
    ),
    _form(
        "preference", "likes", r"\bi (?:really |absolutely )?(?:like|love|enjoy|hate|dislike|don't like|can't stand)\b"
    ),
    _form(
        "fact",
        "home",
        r"\b(?:i|we) (?:\w+ )?(?:live in|moved (?:to|into|back to)|am from|are from|was born in)\b|\bi'm from\b"
        r"|\bich wohne\b|\bj'habite\b|\bvivo en\b",
        single=True,
    ),
    _form(
        "fact",
        "job",
        r"\bi(?:'m| am) an? \w+|\bi work (?:as|for|at|in|on)\b|\bmy job\b|\bi (?:started|joined|run|own)\b",
    ),
    _form("fact", "diet", r"\b(?:allergic|vegan|vegetarian|gluten|lactose|i don't eat|i can't eat)\b"),
    _form("fact", "birthday", r"\bmy birthday\b|\bi was born\b", single=True),
    _form(
        "fact",
        "family",
        r"\bmy (?:wife|husband|partner|son|daughter|kids?|children|mother|father|mom|mum|dad|brother|sister|"
        r"girlfriend|boyfriend|fianc\w+|grand\w+|parents|family|aunt|uncle|cousin|niece|nephew)\b",
    ),
    _form(
        "fact",
        "pets",
        r"\bmy (?:dog|cat|pet|puppy|kitten|horse|rabbit|hamster|bird|turtle)s?\b|\b(?:i|we) (?:have|got|adopted) "
        r"(?:a|an|two|three) \w* ?(?:dog|cat|puppy|kitten|horse|rabbit)s?\b",
    ),
    _form(
        "fact",
        "plans",
        r"\b(?:i(?:'m| am)|we(?:'re| are)) (?:going to|planning|moving|flying|travell?ing|getting married)\b",
    ),
    _form(
        "fact",
        "possessions",
        r"\b(?:i|we) (?:have|own|bought|got|use|drive)\b|\bour \w+ (?:is|are|runs?)\b|\bmy \w+ (?:is|are)\b",
    ),
    _form(
        "fact",
        "past",
        r"\b(?:i|we) (?:went|joined|finished|started|graduated|studied|learned|visited|ran|made|won|quit|sold)\b",
    ),
)
_NOT = re.compile(r"\bnot\s+([^,.;!?]{2,60})", re.IGNORECASE)
_CLAUSE = re.compile(r",? (?:and|but) (?=(?:I|we|my|our)\b)|; ", re.IGNORECASE)
_AGAIN = re.compile(r"^\W*(?:no|nope|actually|sorry|correction|wait)\b[,:. ]+", re.IGNORECASE)
_VERBS = "prefer|like|love|enjoy|hate|dislike|live|work|own|run|drive|use|need|want|speak|eat"
_PERSONS = (
    (re.compile(rf"\bI ((?:\w+ly )?)({_VERBS})\b"), r"the user \1\2s"),
    (re.compile(r"\bI'm\b|\bI am\b", re.IGNORECASE), "the user is"),
    (re.compile(r"\bI've\b|\bI have\b", re.IGNORECASE), "the user has"),
    (re.compile(r"\bI'd\b", re.IGNORECASE), "the user would"),
    (re.compile(r"\bI'll\b", re.IGNORECASE), "the user will"),
    (re.compile(r"\bI\b"), "the user"),
    (re.compile(r"\bmy\b|\bour\b", re.IGNORECASE), "the user's"),
    (re.compile(r"\bwe're\b|\bwe are\b", re.IGNORECASE), "the user's household is"),
    (re.compile(r"\bme\b|\bus\b", re.IGNORECASE), "the user"),
    (re.compile(r"\bwe\b", re.IGNORECASE), "the user and others"),
)


def answer_memory(conversation: Conversation) -> str | None:
    """Return the answer to a request that is made for memory, after a run, or None where it is none.

    No test's script is about such a request: it comes when the run has ended, in its own time.
    """
    return remember(conversation) or summarise(conversation)


def summarise(conversation: Conversation) -> str | None:
    """Return a running summary: what was there before, and a sentence of each message, the users' first."""
    if _SUMMARY not in conversation.system or not conversation.turns:
        return None
    text = unescape(conversation.turns[-1].text)
    before = _BEFORE.search(text)
    lines = [(who, words) for who, words in _LINE.findall(text) if split_sentences(words)]
    said = [shorten(split_sentences(words)[0], 160) for who, words in lines if who == "user"]
    told = [shorten(split_sentences(words)[0], 160) for who, words in lines if who != "user"]
    parts = [*([] if before is None else [before[1].strip()]), *said[:20], *told[:5]]
    return shorten(" ".join(parts), 1500) or "Nothing was said."


def remember(conversation: Conversation) -> str | None:
    """Return what is worth remembering as JSON where the request asks for it with its schema, else None."""
    if not _is_remember_schema(conversation.schema) or not conversation.turns:
        return None
    found: list[Json] = []
    for seq, speaker, _, words in _MESSAGE.findall(conversation.turns[-1].text):
        if speaker == "user":
            found.extend(_read_message(int(seq), unescape(words)))
    return json.dumps({"facts": found[:_MOST]}, ensure_ascii=False)


def _is_remember_schema(schema: Json | None) -> bool:
    facts = (schema or {}).get("properties", {}).get("facts", {})
    items = facts.get("items", {}) if isinstance(facts, dict) else {}
    if "$ref" in items:
        items = (schema or {}).get("$defs", {}).get(str(items["$ref"]).rpartition("/")[2], {})
    properties = items.get("properties")
    return isinstance(properties, dict) and set(properties) >= _FIELDS


def _read_message(seq: int, words: str) -> list[Json]:
    found: list[Json] = []
    for sentence in _split_clauses(words):
        form = next((form for form in _FORMS if form.pattern.search(sentence)), None)
        if form is None or len(sentence) > _LONGEST:
            continue
        wrong = _NOT.search(sentence) if form.kind == "correction" or _AGAIN.match(sentence) else None
        subject, single = form.subject, form.single
        if not subject:
            about = next((other for other in _FORMS[1:] if other.pattern.search(sentence)), None)
            subject, single = ("correction", False) if about is None else (about.subject, about.single)
        found.append(
            {
                "kind": form.kind,
                "subject": subject,
                "text": _tell(sentence),
                "seq": seq,
                "quote": sentence,
                "single": single,
                "replaces": wrong[1].strip() if wrong else "",
                "until": "",
                "confidence": 0.5,
            }
        )
    return found


def _split_clauses(words: str) -> list[str]:
    """Return the sentences of a message, cut where the user begins to say something else of themselves."""
    return [clause.strip() for sentence in split_sentences(words) for clause in _CLAUSE.split(sentence)]


def _tell(sentence: str) -> str:
    """Return a sentence as it is told of the user."""
    sentence = _AGAIN.sub("", sentence)
    for pattern, told in _PERSONS:
        sentence = pattern.sub(told, sentence)
    sentence = sentence.strip()
    if "the user" not in sentence.lower():
        sentence = f"The user says: {sentence}"
    return shorten(sentence[:1].upper() + sentence[1:], _LONGEST)
