"""Rate a turn, as a model that reports on itself or as a judge; the conversation's JSON schema asks for either.

A rating says how much of the turn the conversation bears out. The user's newest message may set it instead, for tests
and for trying things out: ``[confidence 0.62]`` for both, ``[self-report 0.95]`` and ``[judge 0.3]`` for one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

from twin.simulator.neutral import Conversation, Json, ToolChoice, Turn
from twin.simulator.rules.text import extract_terms, strip_citations

_MARKER = re.compile(r"[ \t]?\[(confidence|self-report|judge) (0(?:\.\d{1,4})?|1(?:\.0{1,4})?)\]")
_SPOKEN = "JSON Schema:\n"
_MESSAGE = re.compile(r'<message role="(\w+)">\n(.*?)\n</message>', re.DOTALL)
_TURN = re.compile(r'<turn kind="(\w+)">\n(.*?)\n</turn>', re.DOTALL)
_FIELDS = {"reason", "confidence"}
_CALLS, _NOTHING, _RESULT, _ERROR, _PLAIN = 0.95, 0.3, 0.95, 0.6, 0.8
_LEAST, _SPAN = 0.5, 0.45


@dataclass(frozen=True)
class _Case:
    """What is rated: the turn's words (none where it calls tools), what was said before, and what tools brought."""

    rater: str
    words: str
    question: str
    before: str
    results: tuple[str, ...] = ()
    failed: bool = False


def strip_markers(text: str) -> str:
    """Return a text without what sets ratings: the rules don't read it."""
    return _MARKER.sub("", text)


def with_spoken_schema(conversation: Conversation) -> Conversation:
    """Return a conversation whose last message says the schema of the reply, with that schema and without tools."""
    last = conversation.turns[-1] if conversation.turns else Turn("user")
    _, told, text = last.text.rpartition(_SPOKEN)
    if not told or conversation.schema is not None:
        return conversation
    try:
        schema = json.loads(text)
    except ValueError:
        return conversation
    if not isinstance(schema, dict):
        return conversation
    return replace(conversation, schema=schema, choice=ToolChoice("none"))


def rate(conversation: Conversation, nothing: Collection[str]) -> str | None:
    """Return a rating as JSON where the request asks for one, else None.

    Args:
        conversation: the request, with its schema.
        nothing: what the rules say where nothing answers.
    """
    if not _is_rating_schema(conversation.schema) or not conversation.turns:
        return None
    material = conversation.turns[-1].text
    case = _read_judged_case(material) if "<material>" in material else _read_reported_case(conversation)
    if case is None:
        return None
    set_to = {name: float(value) for name, value in _MARKER.findall(case.question)}
    confidence = set_to.get(case.rater, set_to.get("confidence"))
    if confidence is not None:
        reason = "The question sets this rating."
    else:
        confidence, reason = _compute_rating(case, nothing)
    return json.dumps({"reason": reason, "confidence": confidence})


def _is_rating_schema(schema: Json | None) -> bool:
    properties: Any = (schema or {}).get("properties")
    return isinstance(properties, dict) and set(properties) == _FIELDS


def _compute_rating(case: _Case, nothing: Collection[str]) -> tuple[float, str]:
    if not case.words:
        return _CALLS, "The calls are what the question asks for."
    if case.words.strip() in nothing:
        return _NOTHING, "It does not answer the question."
    if case.failed:
        return _ERROR, "A tool did not bring what was asked of it."
    if case.results:
        return _RESULT, "It tells what the tools brought."
    said = set(extract_terms(strip_citations(case.words)))
    borne_out = len(said & set(extract_terms(case.before))) / len(said) if said else 0.0
    if "<passage " not in case.before:
        return _PLAIN, "No document was needed."
    share = f"{borne_out:.0%} of its words are in what it was given."
    return round(_LEAST + _SPAN * borne_out, 2), share


def _read_reported_case(conversation: Conversation) -> _Case | None:
    """Read what a model says of its own last turn: that of the assistant before the question for a rating."""
    turns = conversation.turns[:-1]
    if not turns or turns[-1].role != "assistant":
        return None
    own, earlier = turns[-1], turns[:-1]
    asked = max((place for place, turn in enumerate(earlier) if turn.role == "user" and turn.text), default=-1)
    results = [result for turn in earlier[max(asked, 0) :] for result in turn.results]
    return _Case(
        rater="self-report",
        words="" if own.calls else own.text or " ",
        question=earlier[asked].text if asked >= 0 else "",
        before="\n".join(turn.text for turn in earlier),
        results=tuple(result.text for result in results),
        failed=any(result.is_error for result in results),
    )


def _read_judged_case(material: str) -> _Case | None:
    """Read what a judge is shown."""
    turn = _TURN.search(material)
    if turn is None:
        return None
    messages = [(role, unescape(text)) for role, text in _MESSAGE.findall(material)]
    asked = max((place for place, (role, _) in enumerate(messages) if role == "user"), default=-1)
    results = [text for role, text in messages[max(asked, 0) :] if role == "tool"]
    return _Case(
        rater="judge",
        words="" if turn[1] == "calls" else unescape(turn[2]),
        question=messages[asked][1] if asked >= 0 else "",
        before="\n".join(text for _, text in messages),
        results=tuple(results),
        failed=any(text.startswith("error") for text in results),
    )
