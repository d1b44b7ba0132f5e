"""What is a marker in an answer, and what is code."""

import pytest

from pentad.domain.display.markers import find_code, iter_markers, parse_names


def names(text: str) -> list[str]:
    return [name for match in iter_markers(text) for name in parse_names(match)]


def test_markers_are_found_in_the_forms_that_models_write() -> None:
    assert names("a [cite:k7f2qa]; b [cite: M3X5BD, cite:abcdef] and [1], x[2], (cite:no)") == [
        "k7f2qa",
        "m3x5bd",
        "abcdef",
    ]


@pytest.mark.parametrize("code", ["`[cite:k7f2qa]`", "```\n[cite:k7f2qa]\n```", "~~~\n[cite:k7f2qa]"])
def test_code_has_no_markers(code: str) -> None:
    assert names(f"Write\n{code}") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a `b` c", [("`b`", False, False)]),
        ("a\n```py\nb\n```\nc", [("```py\nb\n```", True, False)]),
        ("a\n```\nb\n```c\n", [("```\nb\n```c\n", True, True)]),
        ("a\n~~~\nb", [("~~~\nb", True, True)]),
        ("```", [("```", True, True)]),
        ("no code", []),
    ],
)
def test_code_is_found_with_its_kind_and_whether_it_ends(text: str, found: list[tuple[str, bool, bool]]) -> None:
    assert [(text[one.start : one.end], one.is_fenced, one.is_open) for one in find_code(text)] == found
