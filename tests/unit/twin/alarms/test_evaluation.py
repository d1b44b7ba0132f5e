"""Tests of `twin.alarms.evaluation`: the tables of CloudWatch's page on missing data, and what its text adds."""

import pytest

from twin.alarms.evaluation import Missing, evaluate_points

POINT = {"0": False, "X": True, "-": None}
TREATMENTS: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")
KEEPS = None
# Points, the oldest first; then the state by each treatment of missing ones.
THREE_OF_THREE = {
    "0-X-X": ("OK", "OK", "OK", "OK"),
    "0----": ("OK", "OK", "OK", "OK"),
    "-----": ("INSUFFICIENT_DATA", KEEPS, "ALARM", "OK"),
    "0XX-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "--X--": ("ALARM", KEEPS, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0-X-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "00X0X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0-X--": ("OK", "OK", "ALARM", "OK"),
    "----0": ("OK", "OK", "ALARM", "OK"),
    "---X-": ("ALARM", KEEPS, "ALARM", "OK"),
}


@pytest.mark.parametrize(("to_alarm", "table"), [(3, THREE_OF_THREE), (2, TWO_OF_THREE)])
def test_the_documented_tables_hold(to_alarm: int, table: dict[str, tuple[str | None, ...]]) -> None:
    for points, states in table.items():
        breaching = [POINT[one] for one in points]
        found = [
            evaluate_points(breaching, periods=3, to_alarm=to_alarm, missing=treatment).state
            for treatment in TREATMENTS
        ]
        assert found == list(states), points


def test_one_point_that_is_too_young_for_all_that_are_needed_is_no_alarm() -> None:
    breaching = [POINT[one] for one in "----X"]
    assert evaluate_points(breaching, periods=3, to_alarm=2).state == "OK"
    assert evaluate_points(breaching, periods=3, to_alarm=1).state == "ALARM"


def test_older_points_stand_in_for_missing_ones_of_any_treatment() -> None:
    breaching = [POINT[one] for one in "XXX--"]
    for treatment in TREATMENTS:
        assert evaluate_points(breaching, periods=3, to_alarm=3, missing=treatment).state == "ALARM"


def test_the_reason_counts_the_points() -> None:
    verdict = evaluate_points([None, None, None, True, None], periods=3, to_alarm=2, missing="breaching")
    assert verdict.reason == "3 of the last 3 data points breach the threshold, 2 of them missing"
