"""The drill of alarms, on the alarms of the template: each goes on, one page or a ticket tells of it, it goes off."""

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from pentad.cli.commands.operations.alarms.alarm_drill import AlarmDrill, DrilledAlarm
from pentad.cli.commands.operations.alarms.faults.table import BY_SIGNALS, FAULTS
from pentad.cli.commands.operations.alarms.faults.world import MeasuredFault
from pentad.cli.commands.operations.alarms.shown import AlarmDrillResult
from pentad.observability.metrics import names
from tests.infra.conftest import resolved
from tests.unit.twin.alarms.test_watch import Told
from twin.alarms.alarms import read_composite_alarm, read_metric_alarm
from twin.alarms.metric_store import MetricKey, MetricStore
from twin.alarms.statistics import Bucket

Json = dict[str, Any]
NOW = 1_800_000_000.0


def make_drill(resources: Iterable[tuple[str, Json]]) -> AlarmDrill:
    """Return the drill of the alarms among some resources of templates."""
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
def drill(resources: list[tuple[str, Json]]) -> AlarmDrill:
    return make_drill(resources)


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


def test_a_request_that_waits_gets_older_while_time_passes_and_one_that_was_taken_does_not(drill: AlarmDrill) -> None:
    def sum_up(age: float) -> dict[MetricKey, Bucket]:
        store = MetricStore()
        store.add(MetricKey.of("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "pentad-dev-runs"}), age, NOW)
        return store.sum_up()

    [fault] = [one for one in FAULTS if one.name == "queue-denied"]
    found = drill.run_fault(MeasuredFault(fault, sum_up(2.0), sum_up(0.0)))
    assert (found.problem, found.pages) == (None, ("pentad-dev-page-platform",))
    assert str(drill.run_fault(MeasuredFault(fault, sum_up(0.0), sum_up(0.0))).problem).startswith("it did not raise")


def measured(name: str, faulty: dict[str, list[float]], mended: dict[str, list[float]]) -> MeasuredFault:
    """Return values of the stage's metrics as what was measured of a fault."""

    def sum_up(given: dict[str, list[float]]) -> dict[MetricKey, Bucket]:
        store = MetricStore()
        for metric, values in given.items():
            for value in values:
                store.add(MetricKey.of(names.NAMESPACE, metric, {"stage": "dev"}), value, NOW)
        return store.sum_up()

    [fault] = [one for one in FAULTS if one.name == name]
    return MeasuredFault(fault, sum_up(faulty), sum_up(mended))


def test_what_was_measured_of_a_fault_pages_once_by_its_cause(drill: AlarmDrill) -> None:
    down = {names.MODEL_DEGRADED: [1.0] * 5, names.RUNS_FAILED: [1.0] * 5, names.FAULTS: [1.0] * 20}
    mended = {names.RUNS_FAILED: [0.0] * 5, names.BREAKER_STATE: [0.0]}
    found = drill.run_fault(measured("providers-down", down | {names.BREAKER_STATE: [2.0]}, mended))
    assert (found.problem, found.pages) == (None, ("pentad-dev-page-models",))
    assert {"pentad-dev-models-unreachable", "pentad-dev-runs-failing"} <= set(found.raised)
    assert "pentad-dev-functions-failing" in found.others


def test_a_fault_of_money_raises_alarms_that_look_back_an_hour_and_a_day(drill: AlarmDrill) -> None:
    large = {names.MODEL_COST: [8e8] * 2, names.RUN_COST: [8e8] * 2, names.ESTIMATE_ERROR: [-99.0] * 2}
    usual = {names.MODEL_COST: [2e6] * 2, names.RUN_COST: [2e6] * 2, names.ESTIMATE_ERROR: [3.0] * 2}
    found = drill.run_fault(measured("requests-large", large, usual))
    assert (found.problem, found.pages) == (None, ())
    assert "pentad-dev-spend-unusual" in found.tickets


@pytest.mark.parametrize(
    ("faulty", "mended", "problem"),
    [
        ({}, {}, "nothing was measured of pentad-dev-recall-slow"),
        ({names.RECALL_DURATION: [900.0]}, {}, "it did not raise pentad-dev-recall-slow"),
        ({names.RECALL_DURATION: [4_100.0]}, {names.RECALL_DURATION: [4_000.0]}, "pentad-dev-recall-slow did not go"),
    ],
)
def test_a_fault_that_does_not_show_or_does_not_end_is_told(
    drill: AlarmDrill, faulty: dict[str, list[float]], mended: dict[str, list[float]], problem: str
) -> None:
    assert str(drill.run_fault(measured("embedder-slow", faulty, mended)).problem).startswith(problem)


def test_what_does_not_come_any_more_raises_its_alarms_and_what_still_comes_does_not(drill: AlarmDrill) -> None:
    both = {names.DRILLS: [1.0], names.AUDIT_ANCHORS: [1.0]}
    found = drill.run_fault(measured("schedules-off", {}, both))
    assert (found.problem, found.pages) == (None, ())
    assert found.raised == ("pentad-dev-anchors-missing", "pentad-dev-drill-missing")
    told = drill.run_fault(measured("schedules-off", {names.DRILLS: [1.0]}, both)).problem
    assert told == "it did not raise pentad-dev-drill-missing"


def test_an_hour_of_load_raises_alarms_only_where_something_is_wrong(drill: AlarmDrill) -> None:
    load = {names.RUNS_FAILED: [0.0] * 10, names.RUN_ACTIVE: [3_000.0] * 10, names.BREAKER_STATE: [0.0]}
    assert drill.find_noise_of(measured("providers-down", load, {}).faulty) == []
    noise = drill.find_noise_of(measured("providers-down", load | {names.RUNS_FAILED: [1.0] * 10}, {}).faulty)
    assert {"pentad-dev-runs-failing", "pentad-dev-page-runs"} <= set(noise)


def test_every_alarm_has_a_real_fault_or_a_reason_why_it_has_none(drilled: dict[str, DrilledAlarm]) -> None:
    assert {one.kind for one in FAULTS} == {"availability", "performance", "quality", "cost", "capacity"}
    raised = {name for name in drilled for one in FAULTS if one.is_to_raise(f"pentad-dev-{name}")}
    assert drilled.keys() - raised == BY_SIGNALS.keys()
    idle = [name for one in FAULTS for name in one.raises if not any(fnmatch(each, name) for each in drilled)]
    assert not idle


def test_what_has_proven_an_alarm_is_told_with_the_reason_where_it_is_no_fault(drill: AlarmDrill) -> None:
    large = {names.MODEL_COST: [8e8] * 2, names.RUN_COST: [8e8] * 2, names.ESTIMATE_ERROR: [-99.0] * 2}
    usual = {names.MODEL_COST: [2e6] * 2, names.RUN_COST: [2e6] * 2, names.ESTIMATE_ERROR: [3.0] * 2}
    good = drill.run_fault(measured("requests-large", large, usual))
    bad = drill.run_fault(measured("embedder-slow", {}, {}))
    told = AlarmDrillResult(noise=(), noise_of_load=None, faults=[good, bad], alarms=())
    assert not told.is_well
    assert told.find_proof("pentad-dev-spend-daily") == {"by": "fault", "fault": "requests-large", "why": None}
    assert told.find_proof("pentad-dev-concurrency") == {
        "by": "signals",
        "fault": None,
        "why": BY_SIGNALS["concurrency"],
    }
    assert told.find_proof("pentad-dev-recall-slow")["why"] == "the fault that should raise it did not"
    assert told.find_proof("pentad-dev-spans-undelivered")["why"] == "the drill has no real fault for it"


def test_the_documentation_lists_the_real_faults() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alarm-drill.md").read_text(encoding="utf-8")
    for one in FAULTS:
        raises = ", ".join(f"`{name}`" for name in one.raises)
        assert f"| `{one.name}` | {one.kind} | {one.says} | {raises} |" in page
    for name, why in BY_SIGNALS.items():
        assert f"* `{name}`: {why};" in page
