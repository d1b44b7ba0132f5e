"""Real faults of `pentad drill alarms`, on a deployed stack: what its functions log of them raises the alarms."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.cli.commands.operations.alarms.faults.table import FAULTS
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld, measure_fault
from tests.infra.test_alarm_drill import make_drill
from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Stack, until
from twin.alarms.emf import read_line
from twin.alarms.metric_store import MetricKey, MetricStore
from twin.alarms.statistics import Bucket

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]


class LoggedMeasures:
    """What the gateway's log lines say of metrics: the twin is in another process."""

    def __init__(self, stack: Stack, metric: str) -> None:
        self._logs: Any = stack.aws("logs")
        self._awaited, self._since = ["ModelAttempts", metric], 0

    def begin(self) -> None:
        self._since = int(datetime.now(UTC).timestamp() * 1000)

    def take(self) -> Mapping[MetricKey, Bucket]:
        """Return it once the fault's metric is there, or else once the runs after it are."""
        awaited = self._awaited.pop()
        return until(lambda: self._read(awaited), f"that {awaited} was measured")

    def _read(self, awaited: str) -> Mapping[MetricKey, Bucket] | None:
        store, group = MetricStore(), "/aws/lambda/pentad-dev-gateway"
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=self._since)
        for page in pages:
            for event in page["events"]:
                for key, value, at in read_line(event["message"]):
                    store.add(key, value, at)
        found = store.sum_up()
        return found if any(key.name == awaited for key in found) else None


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("usage-absurd", "UsageAbsurd"),
        ("cost-uncounted", "BudgetUnsettled"),
        ("share-full", "ShareRefusals"),
        ("turns-unsure", "Escalations"),
    ],
)
def test_a_real_fault_raises_its_alarm_and_its_end_turns_it_off(own: OwnProject, name: str, metric: str) -> None:
    stack = own.stack
    stack.simulator.reset()
    world = FaultWorld(
        stack.facts["api_url"], stack.simulator, stack.aws, stack.outputs, "pentad-dev", rated_agent="warden"
    )
    [fault] = [one for one in FAULTS if one.name == name]
    try:
        measured = measure_fault(world, fault, LoggedMeasures(stack, metric))
    finally:
        world.close()
        stack.simulator.reset()
    templates = [json.loads(path.read_text(encoding="utf-8")) for path in own.assembly.glob("**/*.template.json")]
    drill = make_drill(item for one in templates for item in one["Resources"].items())
    found = drill.run_fault(measured)
    assert (found.problem, found.raised) == (None, tuple(f"pentad-dev-{one}" for one in fault.raises))
    assert metric not in {key.name for key in measured.mended}
