"""Say what tools brought: one sentence for each result."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from twin.simulator.neutral import ToolCall, ToolResult
from twin.simulator.rules.prompt import Passage, parse_passages
from twin.simulator.rules.text import shorten

_WRAPPER = re.compile(r"^\s*<(\w[\w-]*)[^>]*>\s*(.*?)\s*</\1>\s*$", re.S)
_VALUE_KEYS = ("result", "value", "answer", "output", "days", "date", "weekday", "text", "message", "summary")
_REASON_KEYS = ("reason", "message", "error", "detail", "cause", "title")
_FAILED = frozenset("rejected failed denied error refused expired cancelled timed_out".split())
_SHOWN_CHARACTERS = 400


def describe_result(call: ToolCall, result: ToolResult | None) -> str:
    """Return a sentence that tells the user what a call brought, or why it brought nothing."""
    if result is None:
        return f"The tool {call.name} has not answered."
    text = _unwrap(result.text)
    data = _parse_json(text)
    reason = _find_failure(data, text, is_error=result.is_error)
    if reason is not None:
        return f"The {_format_name(call.name)} call was not carried out: {_end_sentence(reason)}"
    return _describe_success(call, data if data is not None else text)


def extract_passages(result: ToolResult) -> tuple[Passage, ...]:
    """Return the passages that a search tool brought: in the markup of `prompt`, or as JSON objects with a text."""
    found = parse_passages(result.text)
    if found:
        return found
    data = _parse_json(_unwrap(result.text))
    if isinstance(data, Mapping):
        data = next((value for value in data.values() if isinstance(value, list)), None)
    if not isinstance(data, list):
        return ()
    passages = []
    for index, one in enumerate(data, 1):
        text = (one.get("text") or one.get("content")) if isinstance(one, Mapping) else None
        if isinstance(text, str):
            cite = one.get("cite") or f"[{one.get('id') or one.get('number') or index}]"
            document = str(one.get("document") or one.get("source") or "")
            passages.append(Passage(str(cite), document, str(one.get("title") or ""), text))
    return tuple(passages)


def _describe_success(call: ToolCall, data: Any) -> str:
    arguments = call.arguments
    value = _format_value(data)
    if isinstance(arguments.get("expression"), str):
        return f"The result of {arguments['expression']} is {value}."
    date_sentence = _describe_date(arguments, data, value)
    if date_sentence:
        return date_sentence
    if "note" in call.name.lower() and (title := arguments.get("title") or arguments.get("text")):
        return f"The note “{shorten(str(title), 80)}” has been saved."
    return f"The {_format_name(call.name)} tool returned: {_end_sentence(value)}"


def _describe_date(arguments: Mapping[str, Any], data: Any, value: str) -> str | None:
    start = arguments.get("start") or arguments.get("start_date") or arguments.get("from_date")
    end = arguments.get("end") or arguments.get("end_date") or arguments.get("to_date")
    if start and end:
        days = _find_days(data, value)
        return (
            f"There are {days} days between {start} and {end}."
            if days
            else f"From {start} to {end}: {_end_sentence(value)}"
        )
    shifts = [(unit, arguments[unit]) for unit in ("days", "weeks", "months", "years") if arguments.get(unit)]
    base = arguments.get("date")
    if base and shifts:
        unit, amount = shifts[0]
        side = "after" if amount > 0 else "before"
        return f"{abs(amount)} {unit if abs(amount) != 1 else unit[:-1]} {side} {base} is {_pick(data, 'date', value)}."
    operation = str(arguments.get("operation", "")).lower()
    if base and "week" in operation:
        return f"{base} is a {_pick(data, 'weekday', value)}."
    if operation in ("now", "today", "current"):
        return f"It is now {value}."
    return None


def _find_days(data: Any, value: str) -> str | None:
    if isinstance(data, Mapping):
        found = next((data[key] for key in ("days", "total_days", "result", "value") if key in data), None)
        return str(found) if isinstance(found, int | float) else None
    match = re.fullmatch(r"\s*(-?\d+)(?:\s*days?)?\.?\s*", value)
    return match[1] if match else None


def _pick(data: Any, key: str, value: str) -> str:
    return str(data[key]) if isinstance(data, Mapping) and key in data else value.rstrip(".")


def _find_failure(data: Any, text: str, *, is_error: bool) -> str | None:
    """Return why a call failed, or None if it did not."""
    if isinstance(data, Mapping):
        status = str(data.get("status", "")).lower()
        if is_error or status in _FAILED or data.get("error"):
            found = next((data[key] for key in _REASON_KEYS if data.get(key)), None)
            if isinstance(found, Mapping):
                found = found.get("message") or json.dumps(found)
            return shorten(str(found or status or text), _SHOWN_CHARACTERS)
        return None
    if is_error or re.match(r"\s*(?:error|rejected|denied|failed)\b", text, re.I):
        return shorten(re.sub(r"^\s*error:?\s*", "", text, flags=re.I) or "it failed", _SHOWN_CHARACTERS)
    return None


def _format_value(data: Any) -> str:
    if isinstance(data, Mapping):
        shown = {key: value for key, value in data.items() if value is not None}
        for key in _VALUE_KEYS:
            if key in shown and not isinstance(shown[key], Mapping | list):
                return _format_value(shown[key])
        return shorten(", ".join(f"{key}: {_format_value(value)}" for key, value in shown.items()), _SHOWN_CHARACTERS)
    if isinstance(data, list):
        return shorten("; ".join(_format_value(one) for one in data[:10]), _SHOWN_CHARACTERS)
    if isinstance(data, bool):
        return "yes" if data else "no"
    if isinstance(data, float) and data == int(data) and abs(data) < 1e15:
        return str(int(data))
    return shorten(str(data), _SHOWN_CHARACTERS)


def _unwrap(text: str) -> str:
    match = _WRAPPER.match(text)
    return match[2] if match and match[1] != "passages" else text


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _format_name(name: str) -> str:
    return name.replace("_", " ")


def _end_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
