"""Durations of ISO 8601 (``P1Y2M10DT2H30M``), exactly: what has a fixed length is counted, months and years are not."""

import re
from dataclasses import dataclass
from fractions import Fraction

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.quantities import make_number

_NUMBER = r"\d{1,9}(?:[.,]\d{1,9})?"
_ISO = re.compile(
    rf"(?P<sign>[+-]?)P(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<weeks>{_NUMBER})W)?"
    rf"(?:(?P<days>{_NUMBER})D)?(?:T(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?",
    re.ASCII,
)
_CLOCK = re.compile(
    r"(?P<sign>[+-]?)(?P<hours>\d{1,6}):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d(?:\.\d{1,9})?))?", re.ASCII
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_PARTS = ("years", "months", *_SECONDS)


@dataclass(frozen=True)
class Duration:
    """A stretch of time.

    Args:
        months: years count as 12.
        seconds: weeks count as 7 days, days as 24 hours.
    """

    months: int
    seconds: Fraction

    def __add__(self, other: "Duration") -> "Duration":
        return Duration(self.months + other.months, self.seconds + other.seconds)

    def __neg__(self) -> "Duration":
        return Duration(-self.months, -self.seconds)

    def show_iso(self) -> str:
        """Return it as ISO 8601, in years, months, days, hours, minutes and seconds.

        Raises:
            InvalidInput: its months and its seconds have different signs.
        """
        if self.months * self.seconds < 0:
            raise InvalidInput(
                "months go one way and days the other: it is not a single duration",
                field="durations",
                fix="add months and days to a date instead",
            )
        months, seconds = abs(self.months), abs(self.seconds)
        minutes, rest = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        day = "".join(
            f"{count}{letter}" for count, letter in zip((months // 12, months % 12, days), "YMD", strict=True) if count
        )
        clock = "".join(f"{count}{letter}" for count, letter in ((hours, "H"), (minutes, "M")) if count)
        if rest:
            clock += f"{make_number(rest).show()[0]}S"
        text = f"P{day}T{clock}" if clock else f"P{day}" if day else "PT0S"
        return f"-{text}" if self.months < 0 or self.seconds < 0 else text


def read_duration(text: str, field: str = "durations") -> Duration:
    """Return a duration written as ISO 8601, or as a clock: ``1:30``, ``01:30:15.5``.

    Args:
        text: the duration.
        field: the parameter, for messages.

    Raises:
        InvalidInput: it can't be read, or has a fraction of a year or of a month.
    """
    plain = text.strip()
    match = _CLOCK.fullmatch(plain) or _ISO.fullmatch(plain.upper())
    found = {name: value for name, value in match.groupdict().items() if value and name in _PARTS} if match else {}
    if match is None or not found or plain.upper().endswith("T"):
        raise InvalidInput(
            f"{plain[:40]!r} is not a duration", field=field, fix="write it as P1Y2M10DT2H30M, PT90M or 1:30"
        )
    amounts = {name: Fraction(value.replace(",", ".")) for name, value in found.items()}
    months = amounts.get("years", Fraction(0)) * 12 + amounts.get("months", Fraction(0))
    if months.denominator != 1 or amounts.get("months", Fraction(0)).denominator != 1:
        raise InvalidInput("a part of a month has no fixed length", field=field, fix="write the days")
    seconds = sum((amounts.get(name, Fraction(0)) * factor for name, factor in _SECONDS.items()), Fraction(0))
    duration = Duration(int(months), seconds)
    return -duration if match["sign"] == "-" else duration


def describe_duration(duration: Duration) -> dict[str, str | int | bool]:
    """Return a duration as ISO 8601, and in each unit that is fixed; with months only their number is.

    Raises:
        InvalidInput: its months and its seconds have different signs.
    """
    answer: dict[str, str | int | bool] = {"iso": duration.show_iso(), "months": duration.months}
    exact = True
    for name, factor in _SECONDS.items():
        text, same = make_number(duration.seconds / factor).show()
        answer[f"total_{name}"] = text
        exact = exact and same
    answer["exact"] = exact
    if duration.months:
        answer["note"] = "months and years have no fixed length: the totals are of the weeks, days and times alone"
    return answer
