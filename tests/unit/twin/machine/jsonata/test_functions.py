"""The functions that Step Functions adds to JSONata."""

from typing import Any

import pytest

from twin.machine.jsonata.evaluator import UNDEFINED, EvaluationError, evaluate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$partition([1..5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([], 2)", []),
        ("$partition('one', 2)", [["one"]]),
        ("$range(1, 5, 2)", [1, 3, 5]),
        ("$range(5, 1, -2)", [5, 3, 1]),
        ("$range(1, 5, -1)", []),
        ("$hash('a', 'SHA-1')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("$hash('', 'MD5')", "d41d8cd98f00b204e9800998ecf8427e"),
        ("$length($hash('ü', 'SHA-512'))", 128),
        ("$random(1) = $random(1)", True),
        ("$random() < 1", True),
        ('$parse(\'[1, null, {"a": "\\\\u00fc"}]\')', [1, None, {"a": "ü"}]),
    ],
)
def test_result(expression: str, value: Any) -> None:
    assert evaluate(expression, {}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "$partition([1], 0)",
        "$range(1, 2, 0)",
        "$range(1, 1e9, 1)",
        "$hash('a', 'CRC')",
        "$hash(1, 'MD5')",
        "$parse('{')",
    ],
)
def test_wrong_arguments_are_an_error(expression: str) -> None:
    with pytest.raises(EvaluationError):
        evaluate(expression, {})


@pytest.mark.parametrize("expression", ["$partition($no, 1)", "$hash($no, 'MD5')", "$parse($no)"])
def test_nothing_gives_nothing(expression: str) -> None:
    assert evaluate(expression, {}) is UNDEFINED


def test_uuids_differ() -> None:
    assert evaluate("$uuid()", {}) != evaluate("$uuid()", {})
