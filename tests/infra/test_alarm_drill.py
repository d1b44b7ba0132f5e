"""The drill of alarms, on the alarms of the template: each goes on, one page or a ticket tells of it, it goes off."""

from typing import Any

import pytest

from pentad.cli.commands.operations.alarm_drill import AlarmDrill, DrilledAlarm
from tests.infra.conftest import resolved
from tests.unit.twin.alarms.test_watch import Told
from twin.alarms.alarms import read_composite_alarm, read_metric_alarm

Json = dict[str, Any]
NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def drill(resources: list[tuple[str, Json]]) -> AlarmDrill:
    found: dict[str, dict[str, Any]] = {"Alarm": {}, "CompositeAlarm": {}}
    read = {"Alarm": read_metric_alarm, "CompositeAlarm": read_composite_alarm}
    for _, body in resources:
        kind = body["Type"].removeprefix("AWS::CloudWatch::")
        if kind in found:
            properties = resolved(body["Properties"])
            name = properties["AlarmName"]
            found[kind][name] = read[kind](name, properties)
    told = Told()

    def take() -> list[tuple[str, str, str]]:
        return [("pages" if "pages" in topic else "tickets", name, state) for topic, name, state in told.take()]

    return AlarmDrill(found["Alarm"], found["CompositeAlarm"], told, take, NOW)


@pytest.fixture(scope="module")
def drilled(drill: AlarmDrill) -> dict[str, DrilledAlarm]:
    return {one.name.removeprefix("pentad-dev-"): one for one in drill.run()}


def test_a_healthy_day_raises_no_alarm(drill: AlarmDrill) -> None:
    assert drill.find_noise() == []


def test_every_alarm_goes_on_is_told_and_goes_off(drilled: dict[str, DrilledAlarm]) -> None:
    assert len(drilled) > 35
    assert {name: one.problem for name, one in drilled.items() if one.problem} == {}


def test_a_fault_of_a_page_pages_by_its_cause_alone(drilled: dict[str, DrilledAlarm]) -> None:
    assert drilled["models-unreachable"].pages == ("pentad-dev-page-models",)
    assert drilled["functions-failing"].pages == ("pentad-dev-page-platform",)
    assert drilled["runs-failing"].pages == ("pentad-dev-page-runs",)
    assert drilled["spend-daily"].pages == ()
