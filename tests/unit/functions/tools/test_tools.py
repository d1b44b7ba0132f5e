"""The tools of the project through the runtime, as a model would call them."""

from typing import Any

import pytest

from functions.tools.calculator import calculator
from functions.tools.date_time import date_time
from functions.tools.notes import KIND, notes
from pentad.domain.errors import ToolFailed
from pentad.domain.runs import CallStatus
from pentad.tools.declare.declare import Tool
from tests.unit.tools.worlds import RUN, Crash, Crashing, World


def answered(tool: Tool[Any, Any], **arguments: Any) -> Any:
    world = World(tool)
    world.add_call(arguments)
    world.execute()
    assert not world.call.is_error, world.call.result
    return world.result


def refused(tool: Tool[Any, Any], **arguments: Any) -> str:
    world = World(tool)
    world.add_call(arguments)
    world.execute()
    assert world.call.is_error
    return world.call.result or ""


def test_the_calculator_answers() -> None:
    assert answered(calculator, expression="15% of 240") == {"expression": "15% of 240", "result": "36", "exact": True}
    # As the description says.
    assert answered(calculator, expression="-10 % 3")["result"] == "2"
    assert answered(calculator, expression="-10 // 3")["result"] == "-4"


def test_the_calculator_says_what_is_wrong_and_how_to_put_it_right() -> None:
    assert refused(calculator, expression="1/0") == "InvalidInput: division by zero Fix: divide by something else"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"operation": "now", "timezone": "Asia/Tokyo"}, {"now": "2026-03-01T18:30:00+09:00", "weekday": "Sunday"}),
        ({"operation": "add", "date": "2026-01-31", "months": 1}, {"result": "2026-02-28", "weekday": "Saturday"}),
        ({"operation": "add", "date": "today", "days": 45}, {"result": "2026-04-15"}),
        ({"operation": "difference", "start": "2026-01-01", "end": "2026-12-31"}, {"days": 364}),
        ({"operation": "weekday", "date": "2026-03-01"}, {"weekday": "Sunday", "iso_week": "2026-W09"}),
        (
            {"operation": "convert", "date": "2026-03-01T09:30", "timezone": "Europe/Zurich", "to_timezone": "UTC"},
            {"to": "2026-03-01T08:30:00+00:00"},
        ),
        (
            {
                "operation": "difference",
                "start": "2026-03-29T01:00",
                "end": "2026-03-29T04:00",
                "timezone": "Europe/Berlin",
            },
            {"hours": 2, "start": "2026-03-29T01:00:00+01:00", "end": "2026-03-29T04:00:00+02:00"},
        ),
        ({"operation": "difference", "start": "now", "end": "2026-12-25"}, {"days": 298}),
        ({"operation": "difference", "start": "2026-02-01T09:30", "end": "now"}, {"days": 28, "hours": 672}),
        (
            {"operation": "difference", "start": "now", "end": "2026-03-01T19:00", "timezone": "Asia/Tokyo"},
            {"hours": 0.5},
        ),
        ({"operation": "difference", "start": "today", "end": "tomorrow"}, {"days": 1}),
        (
            {"operation": "weekday", "date": "2026-03-28T23:30Z", "timezone": "Asia/Tokyo"},
            {"weekday": "Sunday", "date": "2026-03-29T08:30:00+09:00"},
        ),
        ({"operation": "weekday", "date": "2026-03-28T23:30Z"}, {"weekday": "Saturday"}),
        ({"operation": "weekday", "date": "now", "timezone": "Pacific/Kiritimati"}, {"weekday": "Sunday"}),
        (
            {"operation": "add", "date": "now", "days": 28, "timezone": "Europe/Berlin"},
            {"start": "2026-03-01T10:30:00+01:00", "result": "2026-03-29T10:30:00+02:00"},
        ),
        ({"operation": "add", "date": "now", "days": 1}, {"result": "2026-03-02T09:30:00+00:00"}),
        (
            {"operation": "convert", "date": "now", "to_timezone": "Asia/Kolkata"},
            {"from": "2026-03-01T09:30:00+00:00", "to": "2026-03-01T15:00:00+05:30"},
        ),
        (
            {
                "operation": "convert",
                "date": "2026-03-01T09:30+09:00",
                "timezone": "Europe/Zurich",
                "to_timezone": "UTC",
            },
            {"from": "2026-03-01T01:30:00+01:00", "to": "2026-03-01T00:30:00+00:00"},
        ),
        ({"operation": "convert", "date": "2026-03-01T09:30", "to_timezone": "Asia/Tokyo"}, {"weekday": "Sunday"}),
    ],
)
def test_dates_and_times(arguments: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected.items() <= answered(date_time, **arguments).items()


@pytest.mark.parametrize("operation", ["add", "weekday", "convert"])
def test_a_clock_time_that_does_not_exist_is_told_by_each_operation(operation: str) -> None:
    more = {"to_timezone": "UTC"} if operation == "convert" else {}
    day = "2026-03-28" if operation == "add" else "2026-03-29"
    more_days = {"days": 1} if operation == "add" else {}
    answer = answered(
        date_time, operation=operation, date=f"{day}T02:30", timezone="Europe/Berlin", **more, **more_days
    )
    assert "2026-03-29T02:30:00 does not exist in Europe/Berlin" in answer["note"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"operation": "add"}, "'add' needs 'date'"),
        ({"operation": "difference", "start": "2026-01-01"}, "'difference' needs 'end'"),
        ({"operation": "convert", "date": "2026-01-01"}, "'convert' needs a time"),
        ({"operation": "convert", "date": "2026-01-01T10:00"}, "'convert' needs 'to_timezone'"),
        ({"operation": "convert", "date": "2026-01-01T10:00"}, "such as Europe/Zurich"),
        ({"operation": "now", "timezone": "GMT+2"}, "close to it: Etc/GMT-2, which is UTC+2"),
        ({"operation": "now", "timezone": "utc-03:00"}, "close to it: Etc/GMT+3, which is UTC-3"),
        ({"operation": "fly"}, "operation"),
        ({"operation": "add", "date": "2026-01-01", "days": 1.5}, "days"),
        ({"operation": "now", "timezone": "Mars/Olympus"}, "no time zone"),
        ({"operation": "now", "date": "2026-01-01"}, "'now' does not use 'date'"),
        ({"operation": "now", "to_timezone": "UTC"}, "'now' does not use 'to_timezone'"),
        ({"operation": "weekday", "date": "2026-01-01", "days": 3}, "'weekday' does not use 'days'"),
        ({"operation": "add", "date": "2026-01-01", "end": "2026-01-02"}, "'add' does not use 'end'"),
        ({"operation": "difference", "start": "2026-01-01", "end": "now", "date": "now"}, "does not use 'date'"),
        ({"operation": "difference", "start": "2026-01-01", "end": "now", "months": -1}, "does not use 'months'"),
        ({"operation": "difference", "start": "2026-01-01T10:00Z", "end": "2026-01-01T10:00"}, "name the timezone"),
    ],
)
def test_what_a_date_operation_lacks_is_told(arguments: dict[str, Any], says: str) -> None:
    assert says in refused(date_time, **arguments)


def saved(text: str = "milk") -> World:
    world = World(notes)
    world.add_call({"title": "shopping", "text": text})
    world.execute()
    return world


def stored(world: World) -> list[dict[str, Any]]:
    return [record.value for record in world.records.get_store("acme").query(KIND)]


def test_notes_asks_for_approval_and_has_an_outside_effect() -> None:
    assert (notes.spec.approval, notes.spec.effects, notes.spec.reversible) == ("always", "external", True)


def test_a_note_is_saved_for_the_runs_tenant_and_user() -> None:
    world = saved()
    (note,) = stored(world)
    assert (note["title"], note["text"], note["run"], note["user"]) == ("shopping", "milk", RUN, "ada")
    assert world.result["saved"] is True and world.call.undo_token is not None


def test_what_undoing_needs_holds_no_words_of_the_user() -> None:
    assert "milk" not in str(saved().call.undo)


def test_a_crash_after_the_note_was_saved_leaves_one_note() -> None:
    world = World(notes)
    world.add_call({"title": "shopping", "text": "milk"})
    world.effects = Crashing(world.effects, "finish", before=True)
    with pytest.raises(Crash):
        world.execute()
    assert world.execute()["status"] == "succeeded"
    assert len(stored(world)) == 1
    assert world.undo()["status"] == "undone"
    assert stored(world) == []


def test_undo_removes_the_note() -> None:
    world = saved()
    world.undo()
    assert stored(world) == [] and world.call.status is CallStatus.UNDONE


def test_undo_of_a_note_that_is_gone_is_no_error() -> None:
    world = saved()
    world.records.get_store("acme").delete(KIND, world.result["note"])
    assert world.undo()["status"] == "undone"


def test_a_note_that_was_changed_since_stays() -> None:
    world = saved()
    world.records.get_store("acme").put(KIND, world.result["note"], {"title": "mine now"})
    with pytest.raises(ToolFailed, match="changed since"):
        world.undo()
    assert stored(world) == [{"title": "mine now"}]


@pytest.mark.parametrize("arguments", [{"title": "", "text": "x"}, {"title": "x" * 201, "text": "x"}, {"title": "x"}])
def test_a_note_out_of_bounds_is_refused(arguments: dict[str, str]) -> None:
    assert "arguments are not valid" in refused(notes, **arguments)
