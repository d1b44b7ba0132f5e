"""Functions that Lambda ends raise an alarm; what functions refuse raises none."""

import pytest

from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.platform import build_platform_alarms
from pentad.observability.metrics import names
from twin.alarms.expressions import Times, evaluate_expression

LIMITS = AlarmLimits()
ALARMS = {one.name: one for one in build_platform_alarms(LIMITS, "api")}
TIMES = Times((0, 300, 600), 300)


@pytest.mark.parametrize(
    ("errors", "raised", "killed"),
    [
        ({}, 0, False),
        ({"gateway": 40}, 40, False),  # a tenant's share is used up
        ({"gateway": 12}, 12, False),
        ({"gateway": 2}, 0, False),
        ({"gateway": 3}, 0, True),
        ({"gateway": 40, "run_tool": 1}, 38, True),
        ({"api": 1, "deliver": 1, "recall": 1}, 0, True),
    ],
)
def test_what_lambda_counts_beyond_our_own_errors_was_ended(
    errors: dict[str, float], raised: float, killed: bool
) -> None:
    given = {**errors, "raised": raised}
    alarm = ALARMS["functions-killed"]
    values = {name: dict.fromkeys(TIMES.starts, given[name]) if given.get(name) else {} for name in alarm.signals}
    found = evaluate_expression(alarm.expression, values, TIMES)
    assert isinstance(found, dict)
    assert all((value >= alarm.threshold) is killed for value in found.values())


def test_only_faults_page_as_functions_that_fail() -> None:
    assert [one.metric for one in ALARMS["functions-failing"].signals.values()] == [names.FAULTS]
    watched = {one.where["FunctionName"] for one in ALARMS["functions-killed"].signals.values() if one.where}
    assert {"api", "deliver", "gateway", "recall", "run-tool", "trigger", "workflow"} == watched
    assert len(ALARMS["functions-killed"].signals) + 1 <= 10
