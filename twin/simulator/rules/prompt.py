"""Read passages and a question out of a user message: `<passages>`, `<passage cite=...>` and `<question>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from twin.simulator.neutral import Conversation, ToolCall, ToolResult, Turn
from twin.simulator.rules.rating import strip_markers

_PASSAGE = re.compile(r"<passage\b([^>]*)>\n?(.*?)\n?</passage>", re.S)
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_QUESTION = re.compile(r"<question>(.*?)</question>", re.S)
_FACT = re.compile(r'<fact kind="\w+" said="[\d-]+">(.*?)</fact>', re.S)
_SUMMARY = re.compile(r'<summary messages="[^"]*">\n(.*?)\n</summary>', re.S)
_REMEMBERED = re.compile(r"<remembered\b[^>]*>.*?</remembered>|<summary messages=.*?</summary>", re.S)
_RECALLED = re.compile(r"<recalled\b[^>]*>\n(.*?)\n</recalled>", re.S)
_SAID = re.compile(r"(.{1,200}?) \((\d{1,2} \w+ \d{4})\): (.*)")
_PASSAGES = re.compile(r"<passages>.*?</passages>", re.S)


@dataclass(frozen=True)
class Passage:
    """A retrieved passage; ``cite`` is what cites it in an answer: nothing where it has none."""

    cite: str
    document: str
    title: str
    text: str

    @property
    def marker(self) -> str:
        """What cites it at a sentence's end."""
        return f" {self.cite}" if self.cite else ""


@dataclass(frozen=True)
class Question:
    """One question with the passages that came with it."""

    text: str
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Exchange:
    """An earlier question and its answer."""

    question: Question
    answer: str


@dataclass(frozen=True)
class Situation:
    """Where the conversation stands: the past, the open question and what its tools brought."""

    question: Question
    past: tuple[Exchange, ...] = ()
    done: tuple[tuple[ToolCall, ToolResult | None], ...] = ()


def parse_passages(text: str) -> tuple[Passage, ...]:
    """Return the passages in a text."""
    found: list[Passage] = []
    for match in _PASSAGE.finditer(text):
        named = {name: unescape(value) for name, value in _ATTRIBUTE.findall(match[1])}
        # The prompt's own marker; a passage that has no more than an id is cited by that.
        cite = named.get("cite") or (f"[{named['id']}]" if named.get("id") else "")
        found.append(Passage(cite, named.get("document", ""), named.get("title", ""), unescape(match[2])))
    return tuple(found)


def strip_passages(text: str) -> str:
    """Return a text without its passages."""
    return _PASSAGES.sub("", text)


def parse_recalled(text: str) -> tuple[Passage, ...]:
    """Return what was said earlier, a line each, as passages that nothing cites."""
    lines = [line for match in _RECALLED.finditer(text) for line in match[1].split("\n")]
    said = [match for line in lines if (match := _SAID.fullmatch(line))]
    return tuple(Passage("", "", f"{unescape(one[1])} {one[2]}", unescape(one[3])) for one in said)


def parse_remembered(text: str) -> tuple[str, ...]:
    """Return what is remembered of the user, in the user's own person, and the summary of what came before."""
    facts = [unescape(match[1]) for match in _FACT.finditer(text)]
    told = [re.sub(r"(?i)\bthe user's\b", "my", re.sub(r"(?i)\bthe user is\b", "I am", fact)) for fact in facts]
    summaries = [unescape(match[1]).strip() for match in _SUMMARY.finditer(text)]
    return tuple(re.sub(r"(?i)\bthe user\b", "I", one) for one in told) + tuple(summaries)


def parse_question(text: str) -> Question:
    """Split a user message into its question and its passages."""
    text = strip_markers(text)
    passages = parse_passages(text) + parse_recalled(text)
    match = _QUESTION.search(text)
    if match:
        return Question(unescape(match[1]).strip(), passages)
    return Question(_REMEMBERED.sub("", strip_passages(text)).strip(), passages)


def read_situation(conversation: Conversation) -> Situation:
    """Find the open question, the exchanges before it and the tool calls made for it."""
    past: list[Exchange] = []
    question: Question | None = None
    answer = ""
    calls: dict[str, ToolCall] = {}
    results: dict[str, ToolResult] = {}
    for turn in conversation.turns:
        if turn.results and turn.text and question is not None:  # a remark beside results belongs to the question
            question = _join_questions(question, parse_question(turn.text))
        elif _is_question(turn):
            if question is not None and not answer and not calls:  # two messages in a row are one question
                question = _join_questions(question, parse_question(turn.text))
            else:
                if question is not None:
                    past.append(Exchange(question, answer))
                question = parse_question(turn.text)
            answer, calls, results = "", {}, {}
        elif turn.role == "assistant":
            answer = turn.text or answer
        calls |= {call.id: call for call in turn.calls}
        results |= {result.call_id: result for result in turn.results}
    done = tuple((call, results.get(call.id)) for call in calls.values())
    kept = parse_remembered(next((turn.text for turn in conversation.turns if turn.role == "user"), ""))
    remembered = [Exchange(Question(one[:1].upper() + one[1:]), one) for one in kept]
    question = question or Question("")
    # What is remembered is known to every question of the epoch, and cites nothing.
    known = tuple(Passage("", "", "", one) for one in kept)
    return Situation(Question(question.text, question.passages + known), (*remembered, *past), done)


def _is_question(turn: Turn) -> bool:
    return turn.role == "user" and bool(turn.text.strip())


def _join_questions(first: Question, second: Question) -> Question:
    return Question(f"{first.text}\n{second.text}".strip(), first.passages + second.passages)
