"""The rule for a tool of a user's own: the question speaks of it and holds its required arguments.

A tool is called when most words of its name (or three words of its description) stand in the question and every
required property can be filled. A property is filled, in this order, from: ``name: value`` or ``name=value``; one
of its enum values; its form (date, e-mail, URL, number, currency code, place after in/for/at, from X to Y); a
quoted string; and a required string at last from the rest of the question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.simulator.neutral import Json, Tool, ToolCall
from twin.simulator.rules.arguments.schema import get_properties, infer_type, list_options, list_required, split_name
from twin.simulator.rules.text import STOP_WORDS, extract_terms, split_words, stem

_EMPTY_NAME_WORDS = frozenset(
    stem(word) for word in "get fetch list show read find do run call tool make perform execute the a of by".split()
)
"""Words that say nothing of what a tool is for. Verbs of effects (create, delete, send) are not among them."""

_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]|(?<!\w)'([^']+)'(?!\w)")
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+\w")
_URL = re.compile(r"https?://\S+[\w/]")
_CODE = re.compile(r"\b[A-Z]{3}\b")
_PLACE = re.compile(r"\b(?:in|for|at|of|near)\s+((?:[A-Z][\w'-]+)(?:[ ,]+[A-Z][\w'-]+)*)")
_FROM_TO = re.compile(r"(?:from\s+)?([A-Za-z°]+)\s+(?:to|into|in)\s+([A-Za-z°]+)\b", re.I)
_MOST_CALLS = 4
_TAIL = re.compile(r"\b(?:for|of|about|on|with|to|in|named|called)\s+(.+?)[?.!]*$", re.I)
_PLACES = frozenset("city location place town region country where".split())
_SOURCES = ("from", "source", "src")
_TARGETS = ("to", "target", "dst", "into")


@dataclass
class _Pool:
    """What a question offers for arguments; each piece is used once."""

    text: str
    quoted: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.quoted = [one or two for one, two in _QUOTED.findall(self.text)]
        self.numbers = _NUMBER.findall(_DATE.sub(" ", _QUOTED.sub(" ", self.text)))


def plan_generic_calls(question: str, tools: Sequence[Tool]) -> list[ToolCall]:
    """Return calls of the tools that the question speaks of, the best match first."""
    asked = set(extract_terms(question)) | {stem(word) for word in split_words(question)}
    ranked = sorted(((_match(tool, asked), tool) for tool in tools), key=lambda pair: -pair[0])
    calls: list[ToolCall] = []
    spoken_for: set[str] = set()
    for score, tool in ranked:
        named = _extract_name_words(tool)
        if score <= 0 or len(calls) >= _MOST_CALLS or (calls and not (named - spoken_for and named <= asked)):
            continue
        arguments = fill_arguments(tool, question)
        if arguments is not None:
            calls.append(ToolCall(tool.name, arguments))
            spoken_for |= named
    return calls


def _extract_name_words(tool: Tool) -> set[str]:
    return set(split_name(tool.name)) - _EMPTY_NAME_WORDS


def _match(tool: Tool, asked: set[str]) -> float:
    """Return how clearly a question speaks of a tool; zero is not enough for a call."""
    named = _extract_name_words(tool)
    described = set(extract_terms(tool.description)) - named
    hits, share = len(described & asked), len(named & asked) / len(named) if named else 0.0
    if share == 1.0 or (share >= 0.5 and hits >= 1) or hits >= 3:
        return 3 * share + hits
    return 0.0


def fill_arguments(tool: Tool, question: str) -> Json | None:
    """Return the tool's arguments from a question, or None if a required one is not in it.

    Args:
        tool: The tool.
        question: The text to draw from.
    """
    pool = _Pool(question)
    needed = list_required(tool)
    declared = get_properties(tool)
    arguments: Json = {}
    for name in sorted(declared, key=lambda one: one not in needed):
        value = _find_explicit(name, declared[name], pool)
        if value is None:
            value = _find_by_form(name, declared[name], pool, needed=name in needed)
        if value is None and name in needed and "default" not in declared[name]:
            value = _guess_value(tool, name, declared[name], pool)
            if value is None:
                return None
        if value is not None:
            arguments[name] = value
    return arguments


def _find_explicit(name: str, schema: Json, pool: _Pool) -> Any:
    """Return a value written as ``name: value``, ``name=value`` or ``name "value"``."""
    spoken = re.escape(name).replace("_", r"[_ ]")
    pattern = rf"\b{spoken}\s*(?:[:=]|\bis\b)?\s*(?:[\"“']([^\"”']+)[\"”']|(?<=[:=\s])({_NUMBER.pattern}))"
    match = re.search(pattern, pool.text, re.I) or re.search(rf"\b{spoken}\s*[:=]\s*()([^,;?\n]+)", pool.text, re.I)
    if match is None:
        return None
    raw = (match[1] or match[2] or "").strip()
    value = _coerce(raw, schema)
    if value is not None:
        pool.quoted = [one for one in pool.quoted if one != raw]
        if raw in pool.numbers:
            pool.numbers.remove(raw)
    return value


def _coerce(raw: str, schema: Json) -> Any:
    wanted = infer_type(schema)
    if allowed := list_options(schema):
        return next((one for one in allowed if str(one).lower() == raw.lower()), None)
    if wanted in ("integer", "number"):
        match = _NUMBER.search(raw)
        return _to_number(match.group(), wanted) if match else None
    if wanted == "boolean":
        return raw.lower() in ("true", "yes", "on", "1")
    if wanted == "array":
        return [part.strip() for part in raw.split(",") if part.strip()]
    return raw if wanted == "string" and raw else None


def _find_by_form(name: str, schema: Json, pool: _Pool, *, needed: bool) -> Any:
    if allowed := list_options(schema):
        return _find_option(allowed, pool.text)
    wanted = infer_type(schema)
    if wanted in ("integer", "number"):
        return _to_number(pool.numbers.pop(0), wanted) if pool.numbers and needed else None
    if wanted == "boolean":
        spoken = name.replace("_", " ")
        if re.search(rf"\b(?:no|not|without)\s+{re.escape(spoken)}", pool.text, re.I):
            return False
        return True if re.search(rf"\b{re.escape(spoken)}\b", pool.text, re.I) else (False if needed else None)
    if wanted == "array":
        return _find_list(schema, pool) if needed else None
    return _find_string(name, schema, pool, needed=needed) if wanted == "string" else None


def _find_string(name: str, schema: Json, pool: _Pool, *, needed: bool) -> str | None:
    lowered, form = name.lower(), str(schema.get("format", ""))
    parts = set(re.split(r"[_\W]+", lowered))
    for wanted, pattern in (("date", _DATE), ("email", _EMAIL), ("url", _URL), ("uri", _URL)):
        if wanted in form or wanted in parts:
            match = pattern.search(pool.text)
            return match.group() if match else None
    pair = _FROM_TO.search(_NUMBER.sub(" ", pool.text))
    if pair and parts & {*_SOURCES, *_TARGETS}:
        return pair[1] if parts & set(_SOURCES) else pair[2]
    if "currency" in parts or "symbol" in parts or "ticker" in parts:
        codes = re.findall(r"\b[A-Z]{2,5}\b", pool.text) if "currency" not in parts else _CODE.findall(pool.text)
        if codes:
            return str(codes[0])
    if parts & _PLACES and (place := _PLACE.search(pool.text)):
        return place[1]
    return pool.quoted.pop(0) if pool.quoted and needed else None


def _guess_value(tool: Tool, name: str, schema: Json, pool: _Pool) -> str | None:
    """Fill a required string from what the question says beside the tool's own words."""
    if infer_type(schema) != "string" or list_options(schema):
        return None
    tail = re.search(r":\s+(.+?)[?!.]*$", pool.text, re.S) or _TAIL.search(pool.text)
    return (tail[1].strip() if tail else _extract_rest(tool, pool.text)) or None


def _extract_rest(tool: Tool, text: str) -> str:
    own = {*split_name(tool.name), *(stem(word) for word in split_words(tool.description))}
    kept = [word for word in re.findall(r"\S+", text) if stem(word.strip("?.,!:;")) not in own]
    while kept and kept[0].strip("?.,!:;").lower() in STOP_WORDS:
        kept.pop(0)
    return " ".join(kept).strip(" ?.!,:;")


def _find_option(allowed: Sequence[Any], text: str) -> Any:
    for one in allowed:
        spoken = re.escape(str(one)).replace("_", "[_ -]")
        if re.search(rf"(?<!\w){spoken}(?!\w)", text, re.I):
            return one
    asked = set(extract_terms(text))
    return next((one for one in allowed if asked & set(split_name(str(one)))), None)


def _find_list(schema: Json, pool: _Pool) -> list[Any] | None:
    items = schema.get("items") or {}
    wanted = infer_type(items) if isinstance(items, dict) else "string"
    if wanted in ("integer", "number"):
        found: list[Any] = [_to_number(one, wanted) for one in pool.numbers]
        pool.numbers.clear()
    else:
        found = list(pool.quoted)
        pool.quoted.clear()
        if not found and ":" in pool.text:
            found = [
                part.strip(" ?.!") for part in re.split(r",|\band\b", pool.text.split(":", 1)[1]) if part.strip(" ?.!")
            ]
    return found or None


def _to_number(raw: str, wanted: str) -> int | float:
    value = float(raw)
    return int(value) if wanted == "integer" or ("." not in raw) else value
