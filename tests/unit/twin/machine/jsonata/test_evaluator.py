"""JSONata with bindings: values are never read as code, undefined is told apart from null."""

import pytest

from twin.machine.jsonata import evaluator
from twin.machine.jsonata.evaluator import UNDEFINED, EvaluationError, UnsupportedResultError, evaluate


@pytest.mark.parametrize("text", ['"', "\\", "$error('x')", '") & $states (', "\n\r\t\x00", "😀", "\ud800", "{% 1 %}"])
def test_a_string_is_bound_and_never_parsed(text: str) -> None:
    assert evaluate("$v", {"v": text}) == text
    assert evaluate("$lookup($v, $k)", {"v": {text: 1}, "k": text}) == 1


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "", [], {}, [None, [1]], {"a": {"b": None}}])
def test_json_values_come_back_unchanged(value: object) -> None:
    assert evaluate("$v", {"v": value}) == value


def test_nothing_is_not_null() -> None:
    assert evaluate("$v.missing", {"v": {}}) is UNDEFINED
    assert evaluate("$v.there", {"v": {"there": None}}) is None
    assert evaluate("$exists($v.there) and $v.there = null", {"v": {"there": None}}) is True


def test_a_binding_is_not_changed_by_an_expression() -> None:
    value = {"list": [3, 1, 2], "n": None}
    evaluate("$v ~> |$|{'n': 1}|", {"v": value})
    assert value == {"list": [3, 1, 2], "n": None}


def test_the_context_at_the_top_is_undefined() -> None:
    assert evaluate("$", {}) is UNDEFINED
    assert evaluate("$$", {}) is UNDEFINED


@pytest.mark.parametrize(("expression", "code"), [("1 + 'a'", "T2002"), ("(", "S0203"), ("$eval('1')", "T1006")])
def test_an_error_has_its_code(expression: str, code: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(expression, {})
    assert caught.value.code == code


def test_a_function_is_no_result() -> None:
    with pytest.raises(UnsupportedResultError):
        evaluate("{'f': function($x){$x}}", {})


def test_endless_recursion_ends() -> None:
    with pytest.raises(EvaluationError):
        evaluate("($f := function($n){1 + $f($n)}; $f(1))", {})


def test_parsed_expressions_are_kept_within_a_bound() -> None:
    for number in range(evaluator._CACHE_SIZE + 50):
        evaluate(f"{number}", {})
    assert len(evaluator._cache) == evaluator._CACHE_SIZE


def test_one_expression_serves_different_bindings() -> None:
    assert [evaluate("$x * 2", {"x": number}) for number in range(3)] == [0, 2, 4]
