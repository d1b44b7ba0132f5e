"""Forms: equal values have equal forms, and nothing grows without bound."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.forms import Form, make_constant
from pentad.tools.builtin.functions import PI, E, exp, ln, sin, square_root


def _root(number: int) -> Form:
    return square_root(make_constant(Fraction(number)))


_parts = st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 30)), min_size=1, max_size=4)


def _build(parts: list[tuple[int, int]]) -> Form:
    total = PI
    for factor, number in parts:
        total = total + _root(number).scale(Fraction(factor))
    return total


@given(_parts, _parts, _parts)
def test_sums_and_products_obey_the_laws_of_arithmetic(
    one: list[tuple[int, int]], two: list[tuple[int, int]], three: list[tuple[int, int]]
) -> None:
    a, b, c = _build(one), _build(two), _build(three)
    assert a * b == b * a and a + b == b + a
    assert a * (b + c) == a * b + a * c
    assert a - a == Form() and (a / a).rational == 1


@given(st.integers(1, 400), st.integers(1, 400))
def test_roots_of_a_product_are_the_product_of_roots(one: int, two: int) -> None:
    assert _root(one) * _root(two) == _root(one * two)


def test_a_value_is_held_by_its_intervals() -> None:
    form = (PI + E) * _root(2) - ln(PI) / sin(E)
    rough, fine = form.enclose(30), form.enclose(200)
    assert rough.low <= fine.low <= fine.high <= rough.high


def test_a_sum_that_would_have_too_many_terms_is_kept_as_one() -> None:
    form = PI
    for number in range(2, 12):
        form = (form + _root(number)) * (form + E)
    assert len(form.terms) <= 64 and form.find_sign() == 1


def test_nesting_without_end_is_refused() -> None:
    form = E
    with pytest.raises(InvalidInput, match="nested deeper"):
        for _ in range(100):
            form = exp(-form - PI)
