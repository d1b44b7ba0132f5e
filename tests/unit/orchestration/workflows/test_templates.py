"""Templates: what they refer to, what is wrong with them, what they become."""

import pytest

from pentad.orchestration.workflows.templates import (
    CHARACTERS,
    MISSING,
    Reference,
    find_problems,
    find_references,
    render,
    render_value,
)

VALUES = {
    Reference("input", None): "the question",
    Reference("facts", None): '{"n": 3}',
    Reference("facts", "n"): 3,
    Reference("facts", "list"): ["a", "b"],
    Reference("tricky", None): "{{input}}",
}
KNOWN = {"facts": frozenset({"n", "list"}), "words": None}


def test_references_are_replaced_by_what_they_refer_to() -> None:
    assert render("{{input}}: {{ facts.n }} {{facts.list}}", VALUES.get) == 'the question: 3 ["a", "b"]'


def test_what_is_put_in_is_not_read_as_a_template() -> None:
    assert render("{{tricky}}", VALUES.get) == "{{input}}"


def test_a_reference_without_a_result_says_so() -> None:
    assert render("{{nobody}}.", VALUES.get) == f"{MISSING}."


def test_of_several_references_the_first_with_a_result_is_put_in() -> None:
    assert render("{{nobody | facts.n | input}}", VALUES.get) == "3"


def test_a_long_result_is_cut_and_the_text_says_so() -> None:
    text = render("{{input}}", lambda _: "x" * (2 * CHARACTERS))
    assert len(text) < CHARACTERS + 100
    assert text.endswith("more characters]")


def test_a_value_that_is_one_reference_keeps_its_type() -> None:
    value = {"n": "{{facts.n}}", "all": ["{{facts.list}}", "no {{facts.n}}"], "fixed": 7}
    assert render_value(value, VALUES.get) == {"n": 3, "all": [["a", "b"], "no 3"], "fixed": 7}


def test_references_of_a_value_are_found_in_all_its_strings() -> None:
    found = find_references({"a": ["{{facts.n}}", {"b": "{{input}} {{facts.n}}"}]})
    assert found == (Reference("facts", "n"), Reference("input", None))


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{later}}", "no step later comes before; there are: facts, input, words"),
        ("{{facts.m}}", "the result of facts has no field m; it has: list, n, status"),
        ("{{words.n}}", "the result of words has no field n; it has: status"),
        ("{{ 1 + 1 }}", "is not a reference"),
        ("{{facts..n}}", "is not a reference"),
    ],
)
def test_what_a_template_refers_to_wrongly_is_told(template: str, told: str) -> None:
    [problem] = find_problems(template, KNOWN)
    assert told in problem


def test_a_template_that_refers_to_what_there_is_has_no_problem() -> None:
    assert find_problems("{{input}} {{facts.n}} {{words}} {{words.status}} {{facts|words}}", KNOWN) == ()
