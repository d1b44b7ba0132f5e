"""What the port of JSONata answered otherwise; the answers are those of jsonata 2.0.6."""

from typing import Any

import pytest

from twin.machine.jsonata.evaluator import EvaluationError, evaluate

_ANSWERS: list[tuple[str, Any]] = [
    ("5.5%2", 1.5),
    ("-5.5%2", -1.5),
    ("5%-3", 2),
    ("7%3", 1),
    ("-7%3", -1),
    ("0.3%0.1", 0.09999999999999998),
    ("$count(null)", 1),
    ("$count([])", 0),
    ("$count($no)", 0),
    ("$count(1)", 1),
    ("$count('a')", 1),
    ("$count([null])", 1),
    ("$number('1e5')", 100000),
    ("$number('0x1F')", 31),
    ("$number('0b11')", 3),
    ("$number('0B11')", 3),
    ("$number('0o17')", 15),
    ("$number('-0')", 0),
    ("$number('01')", 1),
    ("$number('-1.5E-3')", -0.0015),
    ("$number(true)", 1),
    ("$toMillis('2024-02-30')", 1709251200000),
    ("$toMillis('2024-02-31T10:00:00Z')", 1709373600000),
    ("$toMillis('2024')", 1704067200000),
    ("$toMillis('2024-02')", 1706745600000),
    ("$toMillis('2024-02-03T10:00:00.123456Z')", 1706954400123),
    ("$toMillis('2024-02-03T10:00:00+02:00')", 1706947200000),
    ("$toMillis('2024-02-03T10:00:00+0200')", 1706947200000),
    ("$toMillis('2024-02-03T10:00:00')", 1706954400000),
    ("$toMillis('2024-04-31')", 1714521600000),
    ("$fromMillis(-1)", "1969-12-31T23:59:59.999Z"),
    ("$fromMillis(1.5)", "1970-01-01T00:00:00.001Z"),
    ("$fromMillis(0)", "1970-01-01T00:00:00.000Z"),
    ("$base64encode('é')", "6Q=="),
    ("$base64encode('ab')", "YWI="),
    ("$base64encode('漢')", "Ig=="),
    ("$base64encode('')", ""),
    ("$base64decode('6Q==')", "é"),
    ("$base64decode('w6k=')", "Ã©"),
    ("$base64decode('YWI=')", "ab"),
    ("$string(123456789012345680000)", "123456789012346000000"),
    ("$string(1e21)", "1e+21"),
    ("$string(1e20)", "100000000000000000000"),
    ("$string(0.1+0.2)", "0.3"),
    ("$string(1e-7)", "1e-7"),
    ("$string(1/3)", "0.333333333333333"),
    ("$string(5.5)", "5.5"),
    ("$string(100)", "100"),
    ("$string(1234567.891)", "1234567.891"),
    ("1 & 0.000001", "10.000001"),
    ("$string([1e21,0.1+0.2])", "[1e+21,0.3]"),
    ("$string(123456789012345678)", "123456789012346000"),
    ("$string(1e15)", "1000000000000000"),
    ("$string(12345678901234567890)", "12345678901234600000"),
    ("$substring('abc',1.5)", "bc"),
    ("$split('a,b', ',', 1.5)", ["a"]),
    ("$power(2,1000)", 1.0715086071862673e301),
    ("$string([$sum])", '[""]'),
    ("[1,2,3].$number('5')", [5, 5, 5]),
    ("{'a':null}.$count(a)", 1),
    ("[1,2].$string()", ["1", "2"]),
    ("$count([[1,2],[3]])", 2),
    ("{'a':[1,2]}.$count(a)", 2),
    ("[{'x':1},{'x':[2,3]}].$count(x)", [1, 2]),
    ("$string($sum)", ""),
    ("$string({'a':$sum})", '{"a":""}'),
    (
        "$string({'a': 'é', 'b': [1.5, null, true, {}]}, true)",
        '{\n  "a": "é",\n  "b": [\n    1.5,\n    null,\n    true,\n    {}\n  ]\n}',
    ),
    ("'a?:b' & \"c??d\"", "a?:bc??d"),
    ("true ? 1 : 2", 1),
    ("$match('ab', /(?:a)b/).match", "ab"),
    ("$map([1, 2], $string)", ["1", "2"]),
    ("$reduce([7, 2.5], function($a, $b) { $a % $b })", 2),
]
_ERRORS = [
    ("$number(' 1 ')", "D3030"),
    ("$number('+5')", "D3030"),
    ("$number('.5')", "D3030"),
    ("$number('1_000')", "D3030"),
    ("$number('٣')", "D3030"),
    ("$number('1.')", "D3030"),
    ("$number('')", "D3030"),
    ("$number('1e400')", "D3030"),
    ("$number('Infinity')", "D3030"),
    ("$number('NaN')", "D3030"),
    ("$number('0xZ')", "D3030"),
    ("$toMillis('nonsense')", "D3110"),
    ("$toMillis('2024-02-03T10:00')", "D3110"),
    ("$toMillis('2024-02-03 10:00')", "D3110"),
    ("$toMillis('2024-W05-1')", "D3110"),
    ("$toMillis('20240203')", "D3110"),
    ("$toMillis('24')", "D3110"),
    ("$toMillis('12024')", "D3110"),
    ("null ?? 1", "S0211"),
    ("$no ?? 1", "S0211"),
    ("0 ?: 1", "S0211"),
    ("$sqrt(-1)", "D3060"),
    ("$formatBase(10,40)", "D3100"),
    ("$count()", "T0410"),
    ("$number([1])", "T0410"),
    ("$number(null)", "T0410"),
    ("$parse('NaN')", "D3120"),
    ("$parse('1e400')", "D3120"),
    ("$parse('[-Infinity]')", "D3120"),
]


@pytest.mark.parametrize(("expression", "value"), _ANSWERS)
def test_an_answer_is_that_of_the_reference(expression: str, value: Any) -> None:
    assert evaluate(expression, {}) == value


@pytest.mark.parametrize(("expression", "code"), _ERRORS)
def test_an_error_is_that_of_the_reference(expression: str, code: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(expression, {})
    assert caught.value.code == code


def test_a_failure_within_the_port_is_an_error_of_the_expression() -> None:
    with pytest.raises(EvaluationError):
        evaluate("$toMillis('x', '[Y')", {})
