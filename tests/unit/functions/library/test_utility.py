"""The utility tools that ship, through the runtime, as a model would call them."""

from typing import Any

import pytest

from functions.library.utility.business_days import business_days
from functions.library.utility.convert_format import convert_format
from functions.library.utility.convert_units import convert_units
from functions.library.utility.durations import durations
from pentad.tools.declare.declare import Tool
from tests.unit.tools.worlds import World

APIA = "the day 2011-12-30 does not exist in Pacific/Apia; such a day counts as a business day unless it is in holidays"


def call(tool: Tool[Any, Any], **arguments: Any) -> tuple[bool, Any]:
    """Return whether a call failed, and its result."""
    world = World(tool)
    world.add_call(arguments)
    world.execute()
    return world.call.is_error, world.call.result if world.call.is_error else world.result


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        (
            convert_format,
            {"content": "a,b\n1,2\n", "source": "csv", "target": "yaml"},
            {"content": "- a: '1'\n  b: '2'\n"},
        ),
        (convert_units, {"value": "98.6", "source": "°F", "target": "°C"}, {"result": "37", "exact": True}),
        (convert_units, {"value": "5 km + 3 m", "target": "m"}, {"result": "5003", "exact": True}),
        (
            business_days,
            {"operation": "add", "start": "2026-12-24", "days": 1, "holidays": ["2026-12-25"]},
            {"result": "2026-12-28", "weekday": "Monday"},
        ),
        (
            business_days,
            {"operation": "count", "start": "today", "end": "2026-04-06", "holidays": ["2026-04-03", "2026-04-05"]},
            {"business_days": 24, "left_out": ["2026-04-03"]},
        ),
        (
            business_days,
            {"operation": "check", "start": "2026-03-06", "weekend": ["friday", "saturday"]},
            {"business_day": False, "next": "2026-03-08", "previous": "2026-03-05"},
        ),
        (
            business_days,
            {"operation": "check", "start": "2026-03-28T23:30Z", "timezone": "Asia/Tokyo"},
            {"start": "2026-03-29", "business_day": False, "previous": "2026-03-27"},
        ),
        (business_days, {"operation": "check", "start": "2026-03-28T23:30Z"}, {"start": "2026-03-28"}),
        (
            business_days,
            {"operation": "count", "start": "2026-03-01T20:00Z", "end": "2026-03-02T20:00Z", "timezone": "Asia/Tokyo"},
            {"start": "2026-03-02", "end": "2026-03-03", "business_days": 1},
        ),
        *(
            (business_days, {"timezone": "Pacific/Apia", "operation": operation, "start": start, **more}, answer)
            for operation, start, more, answer in (
                ("check", "2011-12-30", {}, {"note": APIA}),
                ("check", "2011-12-29", {}, {"next": "2011-12-30", "note": APIA}),
                ("check", "2011-12-31", {}, {"previous": "2011-12-30", "note": APIA}),
                ("check", "2011-12-29", {"holidays": ["2011-12-30"]}, {"next": "2012-01-02", "note": None}),
                ("check", "2012-01-03", {}, {"previous": "2012-01-02", "note": None}),
                ("add", "2011-12-29", {"days": 1}, {"result": "2011-12-30", "note": APIA}),
                ("add", "2011-12-29", {"days": 2}, {"result": "2012-01-02", "note": APIA}),
                ("add", "2012-01-05", {"days": -5}, {"result": "2011-12-29", "note": APIA}),
                ("add", "2001-01-05", {"days": 9_000}, {"note": APIA}),
                ("count", "2011-12-28", {"end": "2012-01-03"}, {"business_days": 4, "note": APIA}),
                ("count", "2011-12-28", {"end": "2012-01-03", "holidays": ["2011-12-30"]}, {"note": None}),
                ("count", "2011-01-01", {"end": "2011-12-29"}, {"note": None}),
                ("count", "2012-01-03", {"end": "1892-01-01"}, {"note": APIA}),
            )
        ),
        (
            # The day that this zone skipped was a Saturday, which did not count.
            business_days,
            {"operation": "count", "start": "1994-12-30", "end": "1995-01-03", "timezone": "Pacific/Kiritimati"},
            {"business_days": 2, "note": None},
        ),
        (
            convert_format,
            {
                "content": "a;b\n1;2\n",
                "source": "csv",
                "target": "json",
                "read_delimiter": "semicolon",
                "header": False,
            },
            {"content": '[\n  [\n    "a",\n    "b"\n  ],\n  [\n    "1",\n    "2"\n  ]\n]'},
        ),
        (durations, {"add": ["PT90M", "1:15"], "subtract": ["PT45M"]}, {"iso": "PT2H", "total_minutes": "120"}),
    ],
)
def test_an_answer(tool: Tool[Any, Any], arguments: dict[str, Any], expected: dict[str, Any]) -> None:
    failed, result = call(tool, **arguments)
    assert not failed, result
    assert {key: result.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        (convert_format, {"content": "{", "source": "json", "target": "yaml"}, "Fix: correct it there"),
        (convert_units, {"value": "1", "source": "gallon", "target": "l"}, "us_gallon or imperial_gallon"),
        (business_days, {"operation": "count", "start": "2026-01-01"}, "'count' needs 'end'"),
        (business_days, {"operation": "check", "start": "2026-01-01", "days": 3}, "'check' does not use 'days'"),
        (business_days, {"operation": "count", "start": "2026-01-01", "end": "2026-02-01", "days": 3}, "'days'"),
        (business_days, {"operation": "check", "start": "2026-01-01", "end": "2026-02-01"}, "does not use 'end'"),
        (business_days, {"operation": "add", "start": "2026-01-01", "days": 1, "end": "today"}, "does not use 'end'"),
        (
            convert_format,
            {"content": "[]", "source": "json", "target": "csv", "read_delimiter": "tab"},
            "'json to csv' does not use 'read_delimiter'",
        ),
        (
            convert_format,
            {"content": "a,b\n", "source": "csv", "target": "json", "write_delimiter": "tab"},
            "does not use 'write_delimiter'",
        ),
        (convert_format, {"content": "[]", "source": "json", "target": "yaml", "header": False}, "not use 'header'"),
        (durations, {"add": ["two hours"]}, "P1Y2M10DT2H30M"),
    ],
)
def test_what_is_wrong_is_told_with_the_fix(tool: Tool[Any, Any], arguments: dict[str, Any], told: str) -> None:
    failed, result = call(tool, **arguments)
    assert failed and told in result
