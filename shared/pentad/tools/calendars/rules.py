"""Rules of recurrence (RFC 5545 section 3.3.10) as a model writes them."""

import re
from datetime import UTC, datetime, time

from pentad.domain.errors import InvalidInput
from pentad.tools.calendars.ports import Moment

_MOST = 1_000
"""Of INTERVAL and COUNT."""
_PARTS = {
    "FREQ": re.compile(r"DAILY|WEEKLY|MONTHLY|YEARLY"),
    "INTERVAL": re.compile(r"0*[1-9][0-9]{0,3}"),
    "COUNT": re.compile(r"0*[1-9][0-9]{0,3}"),
    "UNTIL": re.compile(r"[0-9]{8}(?:T[0-9]{6}Z?)?"),
    "BYDAY": re.compile(r"(?:[+-]?[1-9][0-9]?)?(?:MO|TU|WE|TH|FR|SA|SU)"),
    "BYMONTH": re.compile(r"[0-9]{1,2}"),
    "BYMONTHDAY": re.compile(r"[+-]?[0-9]{1,2}"),
    "BYYEARDAY": re.compile(r"[+-]?[0-9]{1,3}"),
    "BYWEEKNO": re.compile(r"[+-]?[0-9]{1,2}"),
    "BYSETPOS": re.compile(r"[+-]?[0-9]{1,3}"),
    "WKST": re.compile(r"MO|TU|WE|TH|FR|SA|SU"),
}
_HIGHEST = {
    **{"INTERVAL": _MOST, "COUNT": _MOST, "BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53},
    "BYSETPOS": 366,
}
_UNTIL = re.compile(r"UNTIL=([0-9TZ]+)")
_LISTS = frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"})
_NOT_WITH = {"WEEKLY": ("BYMONTHDAY",), "DAILY": (), "MONTHLY": (), "YEARLY": ()}
_YEARLY_ONLY = ("BYYEARDAY", "BYWEEKNO")


def check_rule(rule: str | None) -> str | None:
    """Return a rule of recurrence in its plain form.

    Raises:
        InvalidInput: it is none, repeats more often than daily, or says a thing twice or out of bounds.
    """
    if rule is None:
        return None
    plain = rule.strip().upper().removeprefix("RRULE:")
    reason = _find_fault(plain)
    if reason is not None:
        raise InvalidInput(
            f"'{rule[:60]}' is not a rule that can be used: {reason}",
            field="recurrence",
            fix="write FREQ=WEEKLY;BYDAY=MO;COUNT=10",
        )
    return plain


def fit_rule(rule: str | None, start: Moment) -> str | None:
    """Return a checked rule with its last moment in the one form that goes with its start (RFC 5545, 3.3.10).

    That is a day for days, and a time in UTC for times: others are refused by some calendars, and read in different
    ways by others. A day is the whole of it where the event takes place, a time without ``Z`` is one of that place.

    Args:
        rule: as `check_rule` returns it.
        start: of the first occurrence; a time has a zone.

    Raises:
        InvalidInput: the series would end before it begins.
    """
    found = None if rule is None else _UNTIL.search(rule)
    if rule is None or found is None:
        return rule
    last = _read_last(found[1], start)
    if last < (start.astimezone(UTC) if isinstance(start, datetime) else start):
        raise InvalidInput(
            f"the series would end before it begins: UNTIL={found[1]}",
            field="recurrence",
            fix="give a later UNTIL, or COUNT=10",
        )
    written = last.strftime("%Y%m%dT%H%M%SZ" if isinstance(last, datetime) else "%Y%m%d")
    return rule.replace(found[0], f"UNTIL={written}")


def _read_last(written: str, start: Moment) -> Moment:
    day = datetime.strptime(written[:8], "%Y%m%d")
    if not isinstance(start, datetime):
        return day.date()
    at = datetime.combine(day, time(23, 59, 59)) if len(written) == 8 else datetime.fromisoformat(written[:15])
    return at.replace(tzinfo=UTC if written.endswith("Z") else start.tzinfo).astimezone(UTC)


def _find_fault(plain: str) -> str | None:
    parts: dict[str, str] = {}
    for one in plain.split(";"):
        name, _, value = one.partition("=")
        if name not in _PARTS:
            return f"'{name[:20]}' is no part of a rule that repeats daily or more rarely"
        if name in parts:
            return f"{name} stands in it twice"
        parts[name] = value
        values = value.split(",") if name in _LISTS else [value]
        if not all(one.isascii() and _PARTS[name].fullmatch(one) and _is_within(name, one) for one in values):
            return f"{name} is not {_describe(name)}"
    return _find_clash(parts)


def _find_clash(parts: dict[str, str]) -> str | None:
    freq = parts.get("FREQ")
    if freq is None:
        return "FREQ is missing"
    if "COUNT" in parts and "UNTIL" in parts:
        return "COUNT and UNTIL exclude each other"
    clash = [name for name in (*_NOT_WITH[freq], *(_YEARLY_ONLY if freq != "YEARLY" else ())) if name in parts]
    if clash:
        return f"{clash[0]} does not go with FREQ={freq}"
    if freq in ("DAILY", "WEEKLY") and any(mark in "0123456789" for mark in parts.get("BYDAY", "")):
        return f"BYDAY has no numbers with FREQ={freq}"
    if "BYSETPOS" in parts and not (_LISTS - {"BYSETPOS"}) & parts.keys():
        return "BYSETPOS needs another part that begins with BY"
    return None


def _is_within(name: str, value: str) -> bool:
    if name == "UNTIL":
        try:
            datetime.strptime(value.removesuffix("Z"), "%Y%m%dT%H%M%S" if "T" in value else "%Y%m%d")
        except ValueError:
            return False
        return True
    return name not in _HIGHEST or 1 <= abs(int(value)) <= _HIGHEST[name]


def _describe(name: str) -> str:
    if name in _HIGHEST:
        return f"from 1 to {_HIGHEST[name]}"
    return {"UNTIL": "a day or a time as 20261231T235959Z", "FREQ": "DAILY, WEEKLY, MONTHLY or YEARLY"}.get(
        name, "made of MO, TU, WE, TH, FR, SA, SU"
    )
