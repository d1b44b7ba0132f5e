"""Tests of `twin.alarms.expressions`: CloudWatch's metric math."""

import pytest

from twin.alarms.expressions import Times, evaluate_expression, list_names

TIMES = Times((0, 60, 120, 180), 60)
VALUES = {"a": {0: 2.0, 60: 4.0, 180: 8.0}, "b": {0: 1.0, 60: 0.0, 120: 5.0, 180: 2.0}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", {0: 3.0, 60: 4.0, 180: 10.0}),
        ("a / b", {0: 2.0, 180: 4.0}),
        ("100 * FILL(a, 0) / 4", {0: 50.0, 60: 100.0, 120: 0.0, 180: 200.0}),
        ("FILL(a, REPEAT)", {0: 2.0, 60: 4.0, 120: 4.0, 180: 8.0}),
        ("FILL(a, LINEAR)", {0: 2.0, 60: 4.0, 120: 6.0, 180: 8.0}),
        ("FILL(a, b)", {0: 2.0, 60: 4.0, 120: 5.0, 180: 8.0}),
        ("IF(a >= 4, a, 0)", {0: 0.0, 60: 4.0, 180: 8.0}),
        ("IF(a > 2 AND b > 1, 1, 0)", {0: 0.0, 60: 0.0, 180: 1.0}),
        ("IF(a > 2 && (b == 0 || b == 2), 1)", {60: 1.0, 180: 1.0}),
        ("-a + 2 ^ 2 * 2", {0: 6.0, 60: 4.0, 180: 0.0}),
        ("a - b - 1", {0: 0.0, 60: 3.0, 180: 5.0}),
        ("2 ^ 3 ^ 2", 512.0),
        ("SUM([a, b])", {0: 3.0, 60: 4.0, 120: 5.0, 180: 10.0}),
        ("AVG(METRICS())", {0: 1.5, 60: 2.0, 120: 5.0, 180: 5.0}),
        ("MAX([a, b]) - MIN([a, b])", {0: 1.0, 60: 4.0, 120: 0.0, 180: 6.0}),
        ("SUM([a, b] * 2)", {0: 6.0, 60: 8.0, 120: 10.0, 180: 20.0}),
        ("MAX(a)", 8.0),
        ("DIFF(b)", {60: -1.0, 120: 5.0, 180: -3.0}),
        ("RATE(b)", {60: -1 / 60, 120: 5 / 60, 180: -3 / 60}),
        ("a / PERIOD(a)", {0: 2 / 60, 60: 4 / 60, 180: 8 / 60}),
        ("ABS(0 - b)", {0: 1.0, 60: 0.0, 120: 5.0, 180: 2.0}),
        ("CEIL(a / 3) + FLOOR(a / 3)", {0: 1.0, 60: 3.0, 180: 5.0}),
        ("nothing * 2", {}),
        ("1.5e2", 150.0),
    ],
)
def test_an_expression_comes_to(expression: str, expected: object) -> None:
    assert evaluate_expression(expression, VALUES, TIMES) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("a +", "the end"),
        ("a b", "'b'"),
        ("(a", "')'"),
        ("SEARCH('{Pentad,stage} x', 'Sum')", "has no meaning"),
        ("LOG(a)", "LOG is not supported"),
        ("IF(a)", "takes 2 to 3"),
        ("a % b", "has no meaning"),
        ("(" * 60 + "a" + ")" * 60, "too deeply"),
        ("a" * 3_000, "characters at most"),
        ("Metric1", "is where a value is expected"),
    ],
)
def test_what_is_no_expression_is_told(expression: str, told: str) -> None:
    with pytest.raises(ValueError, match="expression") as failure:
        list_names(expression)
    assert told in str(failure.value)


def test_the_ids_that_an_expression_uses_are_listed() -> None:
    assert list_names("IF(m1 > 3, FILL(m2, 0), e1)") == {"m1", "m2", "e1"}


def test_a_band_is_learned_from_what_was_before_and_needs_enough_of_it() -> None:
    times = Times(tuple(range(0, 20 * 60, 60)), 60)
    calm = {at: 10.0 + (at // 60 % 2) for at in times.starts}
    low, high = evaluate_expression("ANOMALY_DETECTION_BAND(m, 2)", {"m": calm}, times)  # type: ignore[misc]
    assert low[0] == pytest.approx(9.5, abs=0.1)  # type: ignore[index]
    assert high[0] == pytest.approx(11.5, abs=0.1)  # type: ignore[index]
    short = {at: calm[at] for at in times.starts[:5]}
    assert evaluate_expression("ANOMALY_DETECTION_BAND(m, 2)", {"m": short}, times) == ({}, {})
