"""The calculator's language: exact, closed, bounded."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.arithmetic import MAX_LENGTH, MAX_NESTING, evaluate


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("0.1 + 0.2", "0.3"),
        ("15% of 240", "36"),
        ("10 % 3", "1"),
        ("-7 // 2", "-4"),
        ("-2^2", "-4"),
        ("2^3^2", "512"),
        ("2 ** -1", "0.5"),
        ("2 - -3", "5"),
        ("(1299.99 * 3) * 1.19", "4640.9643"),
        ("50% * 50%", "0.25"),
        ("1/7*7", "1"),
        ("1e3", "1000"),
        ("sqrt(16/9) * 3", "4"),
        ("4^0.5", "2"),
        ("log(1000)", "3"),
        ("log(8, 2)", "3"),
        ("round(2.5)", "3"),
        ("round(-2.345, 2)", "-2.35"),
        ("max(1, min(5, 3), -2)", "3"),
        ("mean(1, 2, 4) * 3", "7"),
        ("factorial(20)", "2432902008176640000"),
        ("abs(-3) + floor(-1.5) + ceil(1.2)", "3"),
        ("mod(10, -3)", "-2"),
        ("0^0", "1"),
        ("100*1.05^10", "162.889462677744140625"),
        ("2 \u00d7 3 \u00f7 4 \u2212 1", "0.5"),
        ("15% OF 240", "36"),
    ],
)
def test_exact_values(expression: str, result: str) -> None:
    assert evaluate(expression).show() == (result, True)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1/3", "0.3333333333333333333333333333"),
        ("sqrt(2)", "1.414213562373095048801688724"),
        ("8^(1/3)", "2"),
        ("pi", "3.141592653589793238462643383"),
        ("ln(e)", "1"),
        ("exp(1) - e", "0"),
        ("sin(pi)", "0"),
        ("sin(pi / 6)", "0.5"),
        ("degrees(pi)", "180"),
        ("1.0041667^360", "4.467797704795731209932938401"),
        ("pi^100", "5.187848314319613192086261525E+49"),
    ],
)
def test_rounded_values_say_that_they_are(expression: str, result: str) -> None:
    assert evaluate(expression).show() == (result, False)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "a number is missing"),
        ("1 +", "a number is missing"),
        ("(1 + 2", "')' is missing"),
        ("1 2", "'2' at position 3 is not expected"),
        ("2pi", "not expected"),
        ("1 $ 2", "'$' at position 3 is no arithmetic"),
        ("1/0", "division by zero"),
        ("5 % 0", "division by zero"),
        ("0^-1", "division by zero"),
        ("sqrt(-1)", "no real square root"),
        ("(-8)^(1/3)", "no real power"),
        ("ln(0)", "only positive numbers"),
        ("asin(2)", "not a real number"),
        ("foo(1)", "there is no function 'foo'"),
        ("max()", "a number is missing"),
        ("sqrt(1, 2)", "takes 1 arguments"),
        ("x + 1", "'x' at position 1 is not known"),
        ("__import__('os')", "no arithmetic"),
        ("().__class__", "no arithmetic"),
        ("1,234", "a comma stands outside a function"),
        ("200 + 10%", "two ways"),
        ("10 % -3", "two ways"),
        ("9**9**9", "out of range"),
        ("2^5000", "more than 1,000 digits"),
        ("factorial(100000)", "factorial takes"),
        ("exp(1e9)", "out of range"),
        ("1e9999", "exponent"),
        ("sin(1e400)", "out of range"),
        ("round(1, 1000)", "places"),
        ("(" * (MAX_NESTING + 1) + "1", "nested"),
        ("-" * (MAX_NESTING + 1) + "1", "nested"),
        ("1" * (MAX_LENGTH + 1), "characters"),
    ],
)
def test_what_has_no_value_is_told_clearly(expression: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        evaluate(expression)
    assert says in caught.value.message
    assert caught.value.field == "expression" and caught.value.fix


numbers = st.decimals(min_value=-10_000, max_value=10_000, places=4)


@given(numbers, numbers, st.sampled_from("+-*"))
def test_decimal_arithmetic_is_exact(left: Decimal, right: Decimal, operator: str) -> None:
    expected = {"+": left + right, "-": left - right, "*": left * right}[operator]
    text, exact = evaluate(f"({left:f}) {operator} ({right:f})").show()
    assert exact and Decimal(text) == expected


@given(st.integers(), st.integers().filter(bool))
def test_quotient_and_remainder_agree(number: int, divisor: int) -> None:
    quotient = evaluate(f"({number}) // ({divisor})").value
    remainder = evaluate(f"mod({number}, {divisor})").value
    assert quotient * divisor + remainder == Fraction(number)


@given(st.text(alphabet="0123456789.+-*/%^()episqrtof, ", max_size=40))
def test_any_text_has_a_value_or_a_clear_error(text: str) -> None:
    try:
        shown, _ = evaluate(text).show()
    except InvalidInput as error:
        assert error.message
    else:
        assert Decimal(shown).is_finite()
