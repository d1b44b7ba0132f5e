"""Fill an instance of a JSON schema from a text: always valid, where the schema can be met at all."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from jsonschema import Draft202012Validator

from twin.simulator.neutral import Json
from twin.simulator.rules.arguments.confidence import (
    PASSING,
    UNKNOWN,
    is_affirmed,
    is_confidence,
    is_score,
    pick_from_scale,
)
from twin.simulator.rules.arguments.patterns import find_match, make_match_of_length
from twin.simulator.rules.arguments.repair import repair
from twin.simulator.rules.arguments.schema import infer_type, list_options, resolve, split_name
from twin.simulator.rules.text import extract_terms, shorten, split_sentences, split_words

_MAX_DEPTH = 12
_MAX_ITEMS = 3
_NEGATIVE = re.compile(r"\b(?:no|not|never|cannot|can't|isn't|doesn't|don't|fail(?:s|ed)?|wrong|unable|reject)\b", re.I)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
FORMATS: dict[str, tuple[str, str]] = {
    "date": (r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", "1970-01-01"),
    "date-time": (r"(?<!\d)\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})", "1970-01-01T00:00:00Z"),
    "time": (r"\b\d{2}:\d{2}:\d{2}\b", "00:00:00Z"),
    "email": (r"[\w.+-]+@[\w-]+\.[\w.]*\w", "nobody@example.com"),
    "uri": (r"https?://\S+[\w/]", "https://example.com/"),
    "uuid": (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "00000000-0000-4000-8000-000000000000"),
}
"""How a text of a format is found, and what stands for one that is not there."""


class Filler:
    """Draws values from one text; numbers are used in order, once each."""

    def __init__(
        self, text: str, answer: str = "", focus: str = "", sure: float = UNKNOWN, score: float = PASSING
    ) -> None:
        """Prepare the text.

        Args:
            text: Where values come from.
            answer: What answer-like strings get; the first sentences of the text by default.
            focus: The part of the text that decides between the values of an enum, if it speaks of one.
            sure: What a confidence gets, 0 to 1: rules have none, so the middle, but where a marker sets it.
            score: What a score in numbers gets, 0 to 1, but where a marker sets it.
        """
        self._sure = sure
        self._score = score if sure == UNKNOWN else sure
        self._text = text
        self._focus = focus
        self._sentences = split_sentences(text) or [text.strip() or "none"]
        self._answer = answer or shorten(" ".join(self._sentences[:2]), 400)
        self._numbers = _NUMBER.findall(re.sub(r"\d{4}-\d{2}-\d{2}", " ", text))

    def fill(self, schema: Json) -> Any:
        """Return an instance of a schema; the plainest valid one where extraction does not fit it."""
        validator = Draft202012Validator(schema)
        instance = self._fill("", schema, schema, 0)
        if validator.is_valid(instance):
            return instance
        plain = Filler("", sure=self._sure, score=self._score)
        plain._text = "none"
        for filler in (self, plain):
            mended = repair(instance, schema, partial(filler._fill_part, schema))
            if validator.is_valid(mended):
                return mended
            instance = plain._fill("", schema, schema, 0)
        return instance

    def _fill_part(self, root: Json, part: Any) -> Any:
        return self._fill("", part, root, 0)

    def _fill(self, name: str, raw: Any, root: Json, depth: int) -> Any:
        schema = resolve(raw, root)
        allowed = list_options(schema)
        if allowed:
            return self._choose(name, allowed)
        wanted = infer_type(schema)
        if depth > _MAX_DEPTH:
            return None
        if wanted == "object":
            return self._build_object(schema, root, depth)
        if wanted == "array":
            return self._build_array(name, schema, root, depth)
        if wanted in ("integer", "number"):
            return self._build_number(name, schema, wanted)
        if wanted == "boolean":
            if is_confidence(name):
                return is_affirmed(name, self._sure)
            return not _NEGATIVE.search(self._find_near(name))
        return self._build_string(name, schema) if wanted == "string" else None

    def _build_object(self, schema: Json, root: Json, depth: int) -> Json:
        needed = set(schema.get("required") or ())
        filled: Json = {}
        for name, one in (schema.get("properties") or {}).items():
            if name in needed or depth < _MAX_DEPTH // 3:  # optional parts may recurse without end
                filled[name] = self._fill(name, one, root, depth + 1)
        for name in needed - set(filled):
            filled[name] = "none"
        return filled

    def _build_array(self, name: str, schema: Json, root: Json, depth: int) -> list[Any]:
        least, most = int(schema.get("minItems", 0)), int(schema.get("maxItems", _MAX_ITEMS))
        items = schema.get("items") or {"type": "string"}
        resolved = resolve(items, root)
        if infer_type(resolved) == "string" and not list_options(resolved):
            found: list[Any] = [self._fit(one, resolved) for one in self._list_items(name)]
        elif depth >= _MAX_DEPTH // 2:
            found = []
        else:
            found = [self._fill(name, items, root, depth + 1)]
        if schema.get("uniqueItems"):
            found = list({json.dumps(one): one for one in found}.values())
        while found and len(found) < least:
            found.append(
                f"{found[-1]} {len(found) + 1}"
                if isinstance(found[-1], str) and not list_options(resolved)
                else found[-1]
            )
        return found[: max(least, min(most, _MAX_ITEMS))]

    def _list_items(self, name: str) -> list[str]:
        """Return the items after ``name:``, the text's list, or its sentences."""
        named = self._find_named(name)
        if named:
            return [part.strip() for part in re.split(r"[,;]|\band\b", named) if part.strip()]
        if {"keyword", "topic", "tag", "term", "entiti", "name"} & set(split_name(name)):
            names = re.findall(r"\b[A-Z][\w-]+(?: [A-Z][\w-]+)*", self._text)
            return list(dict.fromkeys([*names, *(word for word in split_words(self._text) if len(word) > 6)]))[
                :_MAX_ITEMS
            ] or ["none"]
        return [shorten(one, 300) for one in self._sentences[:_MAX_ITEMS]]

    def _build_number(self, name: str, schema: Json, wanted: str) -> int | float:
        low, high = _read_bounds(schema, wanted)
        if is_confidence(name) or is_score(name):
            bottom = low if low is not None else 0.0
            top = high if high is not None else (1.0 if wanted == "number" else 10.0)
            value = bottom + (top - bottom) * (self._sure if is_confidence(name) else self._score)
        else:
            named = _NUMBER.search(self._find_named(name))
            value = float(named.group()) if named else float(self._numbers.pop(0)) if self._numbers else (low or 0.0)
        return bound_number(value, schema, wanted)

    def _build_string(self, name: str, schema: Json) -> str:
        form = str(schema.get("format", ""))
        if form in FORMATS:
            pattern, fallback = FORMATS[form]
            match = re.search(pattern, self._text)
            return match.group() if match else fallback
        if schema.get("pattern"):
            return self._match_pattern(str(schema["pattern"]), schema)
        return self._fit(self._find_named(name) or self._find_by_name(name), schema)

    def _match_pattern(self, pattern: str, schema: Json) -> str:
        """Return what of the text meets a pattern and a length, or the plainest text that does."""
        least, most = read_lengths(schema)
        found = find_match(pattern, self._text)
        if found and len(found) >= least and (most is None or len(found) <= most):
            return found
        return make_match_of_length(pattern, least, most) or self._fit("", schema)

    def _find_by_name(self, name: str) -> str:
        parts = set(split_name(name))
        if parts & {"titl", "subject", "headlin", "nam", "label"}:
            return shorten(self._sentences[0], 80)
        if parts & {"email", "mail"}:
            match = re.search(FORMATS["email"][0], self._text)
            return match.group() if match else "none"
        if parts & {"dat", "day", "deadlin"}:
            match = re.search(FORMATS["date"][0], self._text)
            return match.group() if match else "none"
        return self._answer

    def _find_named(self, name: str) -> str:
        """Return what stands after ``name:`` in the text."""
        if not name:
            return ""
        spoken = re.escape(name).replace("_", "[_ ]")
        match = re.search(
            rf"\b{spoken}\b\s*(?:[:=]|\bis\b)\s*[\"']?([^\n\"']+?)[\"']?(?=[.;\n]\s|[.;]?$)", self._text, re.I | re.M
        )
        return match[1].strip() if match else ""

    def _find_near(self, name: str) -> str:
        wanted = set(split_name(name))
        return next((one for one in self._sentences if wanted & set(extract_terms(one))), self._sentences[0])

    def _fit(self, text: str, schema: Json) -> str:
        return bound_text(text, schema)

    def _choose(self, name: str, allowed: list[Any]) -> Any:
        """Return the allowed value that the focus, else the text, speaks of most; the first if neither does.

        Of a confidence it is the middle whatever the text speaks of, and of a score if it speaks of none.
        """
        if is_confidence(name):
            return pick_from_scale(allowed, self._sure)
        for text in (self._focus, self._text):
            present = extract_terms(text)
            scores = [_score_mentions(value, text, present) for value in allowed]
            if max(scores) > 0:
                return allowed[scores.index(max(scores))]
        return pick_from_scale(allowed, self._sure) if is_score(name) else allowed[0]


def read_lengths(schema: Json) -> tuple[int, int | None]:
    """Return how long a text of a schema is: at least, and at most if it says so."""
    return int(schema.get("minLength", 0)), int(schema["maxLength"]) if "maxLength" in schema else None


def bound_text(text: str, schema: Json) -> str:
    """Return a text of a length that a schema takes."""
    least, most = read_lengths(schema)
    if most is not None and len(text) > most:
        text = shorten(text, most)[:most]
    return text if len(text) >= least else text.ljust(least, ".")


def bound_number(value: float, schema: Json, wanted: str) -> int | float:
    """Return the nearest number that a schema takes, where there is one."""
    low, high = _read_bounds(schema, wanted)
    value = min(max(value, low if low is not None else value), high if high is not None else value)
    step = schema.get("multipleOf")
    if step:
        value = round(value / step) * step
        value += step if low is not None and value < low else -step if high is not None and value > high else 0
    return round(value) if wanted == "integer" else round(value, 4)


def _score_mentions(value: Any, text: str, present: list[str]) -> float:
    literal = len(re.findall(rf"(?<!\w){re.escape(str(value))}(?!\w)", text, re.I))
    parts = split_name(str(value))
    return 2.0 * literal + sum(present.count(part) for part in parts) / (len(parts) or 1)


def _read_bounds(schema: Json, wanted: str) -> tuple[float | None, float | None]:
    gap = 1 if wanted == "integer" else 1e-3
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + gap
    if "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - gap
    return low, high
