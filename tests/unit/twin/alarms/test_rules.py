"""Tests of `twin.alarms.rules`: rules of composite alarms, and the suppression of actions."""

import pytest

from twin.alarms.evaluation import State
from twin.alarms.rules import Suppression, Suppressor, evaluate_rule, list_alarms

STATES: dict[str, State] = {"on": "ALARM", "off": "OK", "new": "INSUFFICIENT_DATA", "with space": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(on)", True),
        ('ALARM("with space")', True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:on)", True),
        ("ALARM(off) OR ALARM(on)", True),
        ("ALARM(on) AND NOT ALARM(on)", False),
        ("ALARM(on) OR ALARM(off) AND FALSE", True),
        ("(ALARM(on) OR ALARM(off)) AND FALSE", False),
        ("NOT (OK(on) OR INSUFFICIENT_DATA(off))", True),
        ("INSUFFICIENT_DATA(new) and TRUE", True),
    ],
)
def test_a_rule_holds(rule: str, holds: bool) -> None:
    assert evaluate_rule(rule, STATES.__getitem__) is holds


@pytest.mark.parametrize("rule", ["", "ALARM", "ALARM(", "ALARM(a", "ALARM(a) ALARM(b)", "a OR b", "NOT", "(" * 60])
def test_what_is_no_rule_is_told(rule: str) -> None:
    with pytest.raises(ValueError, match="the alarm rule"):
        list_alarms(rule)


def test_actions_wait_for_the_suppressor_and_go_on_without_it() -> None:
    suppression = Suppression(Suppressor("cause", 120, 60))
    assert suppression.decide("ALARM", "OK", turned=True, now=0) == "WaitPeriod"
    assert suppression.decide("ALARM", "OK", turned=False, now=119) == "WaitPeriod"
    assert suppression.decide("ALARM", "OK", turned=False, now=120) is None


def test_a_suppressor_that_comes_in_time_keeps_actions_back_until_it_has_been_off_for_a_while() -> None:
    suppression = Suppression(Suppressor("cause", 120, 60))
    assert suppression.decide("ALARM", "OK", turned=True, now=0) == "WaitPeriod"
    assert suppression.decide("ALARM", "ALARM", turned=False, now=60) == "ALARM"
    assert suppression.decide("ALARM", "OK", turned=False, now=120) == "ExtensionPeriod"
    assert suppression.decide("ALARM", "OK", turned=False, now=180) is None
