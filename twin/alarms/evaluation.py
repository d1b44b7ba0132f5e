"""Decide a metric alarm's state from its latest data points, as CloudWatch documents it. Pure.

Source: "Configuring how CloudWatch alarms treat missing data" of the CloudWatch user guide; the tables of that page are
the tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]
EXTRA_PERIODS = 2
"""How many periods before those of the alarm are looked at. CloudWatch says that it is a few, by the alarm's period."""


@dataclass(frozen=True)
class AlarmVerdict:
    """What an evaluation came to.

    Attributes:
        state: None where the state stays as it is.
        reason: for whoever reads the alarm.
    """

    state: State | None
    reason: str


def evaluate_points(
    breaching: Sequence[bool | None], *, periods: int, to_alarm: int, missing: Missing = "missing"
) -> AlarmVerdict:
    """Return the state that data points give.

    Args:
        breaching: by period, the oldest first: whether the point breaches; None where there is none. At least
            ``periods`` of them, and a few more before.
        periods: N: how many points count.
        to_alarm: M: how many of these have to breach.
        missing: how a period without a point is treated.
    """
    real = [point for point in breaching if point is not None]
    if len(real) >= periods:
        return _judge(real[-periods:], to_alarm, missing_count=0)
    if missing == "ignore":
        return _judge_as_is(breaching, real, to_alarm)
    if missing == "missing":
        if not real:
            return AlarmVerdict("INSUFFICIENT_DATA", f"no data point in the last {len(breaching)} periods")
        if _breaches_since(breaching, to_alarm):
            return AlarmVerdict("ALARM", "every data point since the threshold was crossed breaches it")
        return _judge(real, to_alarm, missing_count=periods - len(real))
    fill = missing == "breaching"
    filled = [*([fill] * (periods - len(real))), *real]
    return _judge(filled, to_alarm, missing_count=periods - len(real))


def _judge_as_is(breaching: Sequence[bool | None], real: Sequence[bool], to_alarm: int) -> AlarmVerdict:
    """Return the state where missing points keep it: only what is certain without them changes it."""
    if not real:
        return AlarmVerdict(None, "no data point: the state is kept")
    if sum(real) >= to_alarm:
        return _judge(real, to_alarm, missing_count=0)
    if _breaches_since(breaching, to_alarm):
        return AlarmVerdict(None, "the points that there are breach, and others are missing: the state is kept")
    return _judge(real, to_alarm, missing_count=0)


def _breaches_since(breaching: Sequence[bool | None], to_alarm: int) -> bool:
    """Tell whether the oldest point breaches, is M periods old at least, and all that are newer breach or are missing.

    So CloudWatch avoids that an alarm waits for points that do not come.
    """
    ages = [len(breaching) - index for index, point in enumerate(breaching) if point is not None]
    return bool(ages) and max(ages) >= to_alarm and all(point is not False for point in breaching)


def _judge(points: Sequence[bool], to_alarm: int, *, missing_count: int) -> AlarmVerdict:
    count = sum(points)
    state: State = "ALARM" if count >= to_alarm else "OK"
    also = f", {missing_count} of them missing" if missing_count else ""
    return AlarmVerdict(state, f"{count} of the last {len(points)} data points breach the threshold{also}")
