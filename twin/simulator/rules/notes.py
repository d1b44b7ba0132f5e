"""Find a wish to save a note, and fit it to a note tool's schema."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twin.simulator.neutral import Json, Tool, ToolCall
from twin.simulator.rules.arguments.schema import find_property, has_any_word, is_complete, split_name
from twin.simulator.rules.text import shorten, stem

_COMMAND = re.compile(
    r"(?:please\s+|can you\s+|could you\s+|and\s+|then\s+|also\s+)*"
    r"\b(?:(?:save|make|create|add|write|store|take|keep|record|leave|put down)(?:\s+me)?\s+"
    r"(?:(?:this|that|it)\s+(?:as|in)\s+)?"
    r"(?:a|the|this|another|one)?\s*(?:new\s+|short\s+|quick\s+)?note|note down|note)\b(?!s\b)",
    re.I,
)
_REMEMBER = re.compile(r"\bremember\s+(.+?)\s+(?:as|in)\s+a\s+note\b", re.I | re.S)
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]|(?<!\w)'([^']+)'(?!\w)")
_TITLE = re.compile(
    r"^\W*(?:titled|entitled|called|named|with (?:the )?title)\s+(?:[\"“']([^\"”']+)[\"”']|([^:,]+?))\s*"
    r"(?=[:,]|\b(?:saying|that says|with|containing|and (?:the )?(?:text|body))\b|$)",
    re.I,
)
_LEAD = re.compile(
    r"^[\s:,-]*(?:(?:that says|saying|which says|containing|that|to self|and (?:the )?(?:text|body|content)|"
    r"with (?:the )?(?:text|body|content|words?))\b)?[\s:,-]*",
    re.I,
)
_NEXT = re.compile(
    r"(?:[.;,]\s+|\s+)(?:and\s+|then\s+|also\s+)+(?=(?:what|how|calculate|compute|tell|which|when)\b)", re.I
)
_NEXT_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=(?:What|How|Calculate|Compute|Tell|Which|When|Also)\b)")
_RESULT = re.compile(
    r"\b(?:the|that|this|its?)\s+(?:result|answer|outcome|sum|number|date)s?\b|^\W*(?:it|that)\W*$", re.I
)

_TITLES = ("title", "subject", "heading", "name")
_TEXTS = ("text", "body", "content", "note", "message", "description")
_WRITES = ("save", "create", "add", "write", "store", "take", "make", "keep", "record", "new", "note")


@dataclass(frozen=True)
class NoteIntent:
    """A note to save; ``needs_result`` when its text stands for what another tool will bring."""

    title: str
    text: str
    needs_result: bool = False


def find_note(text: str) -> tuple[NoteIntent | None, str]:
    """Return the wish for a note in a question, and the question without it."""
    remembered = _REMEMBER.search(text)
    if remembered:
        return _build_intent("", remembered[1]), (text[: remembered.start()] + text[remembered.end() :]).strip()
    command = _COMMAND.search(text)
    if command is None or re.match(r"\s*(?:\?|(?:say|tell|is|was|did|exist)\b)", text[command.end() :], re.I):
        return None, text
    body, after = _split_next(text[command.end() :])
    title = ""
    match = _TITLE.match(body)
    if match:
        title = (match[1] or match[2] or "").strip()
        body = body[match.end() :]
    body = _LEAD.sub("", body, count=1)
    quoted = [one or two for one, two in _QUOTED.findall(body)]
    if len(quoted) >= 2 and not title:
        title, body = quoted[0], quoted[1]
    elif quoted:
        body = quoted[0]
    if not body.strip() and not title:
        return None, text
    return _build_intent(title, body or title), f"{text[: command.start()]} {after}".strip()


def make_note_call(intent: NoteIntent, tools: tuple[Tool, ...]) -> ToolCall | None:
    """Fit a note to the first tool that saves notes."""
    for tool in tools:
        if not has_any_word(tool, "note", "notes"):
            continue
        if not {stem(word) for word in _WRITES} & {*split_name(tool.name)} or not has_any_word(tool, *_WRITES):
            continue
        text = find_property(tool, _TEXTS, ("string",))
        title = find_property(tool, _TITLES, ("string",))
        arguments: Json = {}
        if text:
            arguments[text] = intent.text
        if title and title != text:
            arguments[title] = intent.title
        if text and is_complete(tool, arguments):
            return ToolCall(tool.name, arguments)
    return None


def _build_intent(title: str, body: str) -> NoteIntent:
    body = " ".join(body.strip().strip("\"'“”").split())
    plain = title or shorten(" ".join(re.split(r"[.!?]\s", body)[0].split()[:6]).rstrip(".,;:!?"), 60)
    return NoteIntent(plain[:1].upper() + plain[1:], body, bool(_RESULT.search(body)))


def _split_next(text: str) -> tuple[str, str]:
    """Cut where another request begins."""
    for pattern in (_NEXT, _NEXT_SENTENCE):
        match = pattern.search(text)
        if match:
            return text[: match.start()], text[match.end() :]
    return text, ""
