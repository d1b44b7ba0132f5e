"""How runs at once are judged."""

from benchmarks.crowd import MOST_MEMORY_MB, Crowd, count_overtaken


def make_crowd(**values: object) -> Crowd:
    given = {
        "at_once": 3,
        "ends": {"succeeded": 3},
        "statuses": {200: 9, 202: 3},
        "wrong": 0,
        "accept_seconds": None,
        "end_seconds": None,
        "overtaken": 0,
        "memory_mb": 2_000,
        "processes": 4,
    }
    return Crowd(**(given | values))  # type: ignore[arg-type]


def test_a_run_is_overtaken_by_those_that_came_later_and_ended_sooner() -> None:
    assert count_overtaken([]) == 0
    assert count_overtaken([("1", "4"), ("2", "5"), ("3", "6")]) == 0
    assert count_overtaken([("2", "5"), ("1", "9"), ("3", "6"), ("4", "7")]) == 3


def test_what_is_promised_is_broken_by_each_way_to_fail() -> None:
    assert all(promise.kept for promise in make_crowd().make_promises())
    for values in (
        {"ends": {"succeeded": 2, "failed States.Timeout": 1}},
        {"statuses": {200: 9, 202: 3, 503: 1}},
        {"wrong": 1},
        {"memory_mb": MOST_MEMORY_MB + 1},
    ):
        assert [promise.kept for promise in make_crowd(**values).make_promises()].count(False) >= 1, values
