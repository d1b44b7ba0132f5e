"""Rate a turn, as a model that reports on itself or as a judge; the conversation's JSON schema asks for either.

Rules have no confidence: a rating is 0.5, and says so. The user's newest message may set it instead, for tests and for
trying things out: ``[confidence 0.62]`` for both, ``[self-report 0.95]`` and ``[judge 0.3]`` for one of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

from twin.simulator.neutral import Conversation, Json, ToolChoice, Turn
from twin.simulator.rules.arguments.confidence import UNKNOWN

_MARKER = re.compile(r"[ \t]?\[(confidence|self-report|judge) (0(?:\.\d{1,4})?|1(?:\.0{1,4})?)\]")
_SPOKEN = "JSON Schema:\n"
_MESSAGE = re.compile(r'<message role="(\w+)">\n(.*?)\n</message>', re.DOTALL)
_TURN = re.compile(r'<turn kind="(\w+)">\n(.*?)\n</turn>', re.DOTALL)
_FIELDS = {"reason", "confidence"}
_ANSWER: Json = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


@dataclass(frozen=True)
class _Case:
    """What is rated: by whom, and the question whose marker may set the rating."""

    rater: str
    question: str


def strip_markers(text: str) -> str:
    """Return a text without what sets ratings: the rules don't read it."""
    return _MARKER.sub("", text)


def with_spoken_schema(conversation: Conversation) -> Conversation:
    """Return a conversation that says the schema of its reply in words with that schema, and without tools.

    It stands at the end of the last message, or of the system prompt.
    """
    last = conversation.turns[-1] if conversation.turns else Turn("user")
    schema = _find_spoken_schema(last.text) or _find_spoken_schema(conversation.system)
    if schema is None or conversation.schema is not None:
        return conversation
    return replace(conversation, schema=schema, choice=ToolChoice("none"))


def _find_spoken_schema(text: str) -> Json | None:
    _, told, rest = text.rpartition(_SPOKEN)
    if not told:
        return None
    try:
        schema = json.loads(rest)
    except (ValueError, RecursionError):
        return None
    return schema if isinstance(schema, dict) else None


def with_json_mode(conversation: Conversation) -> Conversation:
    """Return a conversation in JSON mode that names no schema with that of an answer."""
    if not conversation.json_mode or conversation.schema is not None:
        return conversation
    return replace(conversation, schema=_ANSWER)


def read_own_rating(conversation: Conversation) -> float:
    """Return the confidence that a reply states of itself, 0 to 1: what the newest message's marker sets, or 0.5."""
    text = conversation.turns[-1].text if conversation.turns else ""
    set_to = {name: float(value) for name, value in _MARKER.findall(text)}
    return set_to.get("self-report", set_to.get("confidence", UNKNOWN))


def rate(conversation: Conversation) -> str | None:
    """Return a rating as JSON where the request asks for one with its schema, else None."""
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
        confidence, reason = UNKNOWN, "A simulator can't tell how sure it is; a marker in the question would set it."
    return json.dumps({"reason": reason, "confidence": confidence})


def _is_rating_schema(schema: Json | None) -> bool:
    properties: Any = (schema or {}).get("properties")
    return isinstance(properties, dict) and set(properties) == _FIELDS


def _read_reported_case(conversation: Conversation) -> _Case | None:
    """Read what a model says of its own last turn: that of the assistant before the question for a rating."""
    turns = conversation.turns[:-1]
    if not turns or turns[-1].role != "assistant":
        return None
    earlier = turns[:-1]
    asked = max((place for place, turn in enumerate(earlier) if turn.role == "user" and turn.text), default=-1)
    return _Case("self-report", earlier[asked].text if asked >= 0 else "")


def _read_judged_case(material: str) -> _Case | None:
    """Read what a judge is shown."""
    if _TURN.search(material) is None:
        return None
    messages = [(role, unescape(text)) for role, text in _MESSAGE.findall(material)]
    asked = max((place for place, (role, _) in enumerate(messages) if role == "user"), default=-1)
    return _Case("judge", messages[asked][1] if asked >= 0 else "")
