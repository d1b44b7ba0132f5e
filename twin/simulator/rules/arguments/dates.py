"""Find date arithmetic in a question and fit it to a date tool's schema."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from twin.simulator.neutral import Json, Tool, ToolCall
from twin.simulator.rules.arguments.schema import find_property, get_properties, has_any_word, is_complete, list_options

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_D = r"(\d{4}-\d{2}-\d{2}|today)"
_UNIT = r"(day|week|month|year)s?"
_N = r"(\d+|one|two|three|four|five|six|seven|eight|nine|ten|a|an)"
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_NUMBERS |= {"six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}

# Each optional word brings its own blank: one that could belong to any of several words takes time to the fourth power.
_DIFFERENCE = (
    rf"(?:(?:how many|number of|count the|the)\s+)?(?:(?:days|weeks|months|years|time|difference)\s+)?"
    rf"(?:(?:are there|is there|is it|are|lie|passed|pass)\s+)?(?:between|from)\s+{_D}\s+(?:and|to|until|till)\s+{_D}"
)
_UNTIL = rf"how (?:many (?:days|weeks|months|years)|long)[^?.]*?\b(?:until|till|to)\s+{_D}(?:\s+from\s+{_D})?"
_SHIFT = rf"{_N}\s+{_UNIT}\s+(after|from|later than|past|following|before|prior to|earlier than)\s+{_D}"
_PLUS = rf"{_D}\s*(plus|\+|minus|and then)\s*{_N}\s+{_UNIT}"
_ADD_TO = rf"(add|subtract)\s+{_N}\s+{_UNIT}\s+(?:to|from)\s+{_D}"
_WEEKDAY = rf"(?:week\s?day|day of the week)[^?.]*?{_D}"
_WEEKDAY_2 = rf"{_D}[^?.]*?\b(?:week\s?day|day of the week)"
_NOW = (
    r"(?:what(?:'s| is) the (?:current )?(?:time|date)(?: is it)?(?: now| right now| today)?|what time is it(?: now)?"
    r"|what day is (?:it|today)(?: today)?|what(?:'s| is) today'?s date|today's date|current (?:date|time))"
    r"(?:\s+in\s+([A-Z]\w+/[A-Z]\w+|UTC))?(?!\s*\w*\s*\d)"
)

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "difference": ("difference", "diff", "between", "days_between", "duration", "subtract_dates"),
    "add": ("add", "shift", "offset", "plus", "add_days"),
    "weekday": ("weekday", "day_of_week", "dayofweek"),
    "now": ("now", "today", "current", "current_time"),
}
_PROPERTIES: dict[str, tuple[str, ...]] = {
    "start": ("start", "start_date", "from_date", "from", "date1", "first", "begin", "date_from", "a"),
    "end": ("end", "end_date", "to_date", "to", "date2", "second", "until", "date_to", "b"),
    "date": ("date", "base", "base_date", "day", "start", "start_date", "from_date", "when"),
    "timezone": ("timezone", "tz", "time_zone", "zone"),
}


@dataclass(frozen=True)
class DateIntent:
    """One piece of date arithmetic."""

    kind: str
    start: str = ""
    end: str = ""
    date: str = ""
    amount: int = 0
    unit: str = "days"
    timezone: str = ""


@dataclass
class _Reading:
    text: str
    found: list[DateIntent] = field(default_factory=list)

    def take(self, pattern: str, make: Any) -> None:
        def replace(match: re.Match[str]) -> str:
            self.found.append(make(match))
            return " "

        self.text = re.sub(pattern, replace, self.text, flags=re.I)


def find_dates(text: str, today: date) -> tuple[list[DateIntent], str]:
    """Return the date arithmetic in a question, and the question without it."""
    reading = _Reading(normalise_dates(text))

    def resolve_date(raw: str | None) -> str:
        return today.isoformat() if not raw or raw.lower() == "today" else raw

    def parse_amount(raw: str, negative: bool) -> int:
        number = _NUMBERS.get(raw.lower()) or int(raw)
        return -number if negative else number

    reading.take(_DIFFERENCE, lambda m: DateIntent("difference", start=resolve_date(m[1]), end=resolve_date(m[2])))
    reading.take(
        _SHIFT,
        lambda m: DateIntent(
            "add",
            date=resolve_date(m[4]),
            amount=parse_amount(m[1], m[3].lower() in ("before", "prior to", "earlier than")),
            unit=m[2].lower() + "s",
        ),
    )
    reading.take(
        _PLUS,
        lambda m: DateIntent(
            "add", date=resolve_date(m[1]), amount=parse_amount(m[3], m[2].lower() == "minus"), unit=m[4].lower() + "s"
        ),
    )
    reading.take(
        _ADD_TO,
        lambda m: DateIntent(
            "add",
            date=resolve_date(m[4]),
            amount=parse_amount(m[2], m[1].lower() == "subtract"),
            unit=m[3].lower() + "s",
        ),
    )
    reading.take(_UNTIL, lambda m: DateIntent("difference", start=resolve_date(m[2]), end=resolve_date(m[1])))
    for pattern in (_WEEKDAY, _WEEKDAY_2):
        reading.take(pattern, lambda m: DateIntent("weekday", date=resolve_date(m[1])))
    reading.take(_NOW, lambda m: DateIntent("now", timezone=m[1] or ""))
    return reading.found, reading.text if reading.found else text


def normalise_dates(text: str) -> str:
    """Write dates such as 22 November 2026 or Nov 22, 2026 as 2026-11-22."""

    def to_iso(day: str, month: str, year: str) -> str:
        return f"{year}-{_MONTHS.index(month[:3].lower()) + 1:02}-{int(day):02}"

    text = re.sub(
        rf"\b(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH}),? (\d{{4}})\b",
        lambda m: to_iso(m[1], m[2], m[3]),
        text,
        flags=re.I,
    )
    return re.sub(
        rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b", lambda m: to_iso(m[2], m[1], m[3]), text, flags=re.I
    )


def make_date_call(intent: DateIntent, tools: tuple[Tool, ...]) -> ToolCall | None:
    """Fit an intent to the first tool whose schema takes it."""
    for tool in tools:
        arguments = _build_arguments(intent, tool)
        if arguments is not None and is_complete(tool, arguments):
            return ToolCall(tool.name, arguments)
    return None


def _build_arguments(intent: DateIntent, tool: Tool) -> Json | None:
    operation = _find_operation(intent.kind, tool)
    if operation is None and not (has_any_word(tool, "date", "dates", "days", "calendar", "time", "weekday")):
        return None
    arguments: Json = dict([operation]) if operation else {}
    for field_ in ("start", "end", "timezone") + (("date",) if intent.kind != "difference" else ()):
        value = getattr(intent, field_)
        if not value:
            continue
        name = find_property(tool, _PROPERTIES[field_], ("string",))
        if name is None:
            if field_ == "timezone":
                continue
            return None
        arguments[name] = value
    if intent.kind == "add" and not _set_amount(intent, tool, arguments):
        return None
    if operation is None and not _is_about(intent.kind, tool):
        return None
    return arguments


def _find_operation(kind: str, tool: Tool) -> tuple[str, str] | None:
    """Return the property that chooses the operation with the value for this kind, if the tool has one."""
    for name, schema in get_properties(tool).items():
        for value in list_options(schema):
            if isinstance(value, str) and value.lower() in _SYNONYMS[kind]:
                return name, value
    return None


def _is_about(kind: str, tool: Tool) -> bool:
    wanted = {
        "difference": ("between", "difference", "days", "duration"),
        "add": ("add", "after", "shift", "later", "offset"),
        "weekday": ("weekday", "day"),
        "now": ("current", "now", "today"),
    }[kind]
    units = ("unit", "units", "interval")
    has_operation = any(
        len(list_options(schema)) > 1 for name, schema in get_properties(tool).items() if name not in units
    )
    return not has_operation and has_any_word(tool, *wanted)


def _set_amount(intent: DateIntent, tool: Tool, arguments: Json) -> bool:
    name = find_property(tool, (intent.unit, f"n_{intent.unit}", f"num_{intent.unit}"), ("integer", "number"))
    if name is not None:
        arguments[name] = intent.amount
        return True
    name = find_property(tool, ("amount", "count", "n", "offset", "value", "delta"), ("integer", "number"))
    unit = find_property(tool, ("unit", "units", "interval"), ("string",))
    if name is None:
        return False
    arguments[name] = intent.amount
    if unit is not None:
        allowed = list_options(get_properties(tool)[unit])
        singular = intent.unit.removesuffix("s")
        arguments[unit] = next((one for one in allowed if str(one).lower() in (intent.unit, singular)), intent.unit)
    return True
