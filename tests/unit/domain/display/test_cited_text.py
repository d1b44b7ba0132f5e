"""A provider's citations as markers: where they go, and that none is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentad.domain.display.cited_text import CitedWords, write_markers
from pentad.domain.display.markers import iter_markers, parse_names

A, B = "[cite:aaaaa2]", "[cite:bbbbb3]"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([("The limit is 5 GB", [A]), (". It is soft", [B]), (".", [])], f"The limit is 5 GB {A}. It is soft {B}."),
        ([("Both say so.", [A, B, A])], f"Both say so. {A}{B}"),
        ([("First.\n\n", [A]), ("Second.", [])], f"First. {A}\n\nSecond."),
        ([("One", [A]), ("  ", [B]), ("two", [])], f"One {A}{B}  two"),
        ([("x = a[1] + [2, 3]", [A]), (" and [4]", [])], f"x = a[1] + [2, 3] {A} and [4]"),
        ([("", [A]), ("So.", [])], f"{A}So."),
        ([("Nothing is cited. ", []), ("Truly.", [])], "Nothing is cited. Truly."),
        # What a model has written itself, as its prompt asks, is not said twice; another passage's is no reason.
        ([(f"5 GB {A}", [A]), (".", [])], f"5 GB {A}."),
        ([("5 GB", [A, B]), (f" {A}. Next", [])], f"5 GB {B} {A}. Next"),
        ([("5 GB", [A]), ("; later", []), (f" {A}", [])], f"5 GB {A}; later {A}"),
        # No link comes of a marker.
        ([("5 GB", [A]), ("(about)", [])], f"5 GB {A} (about)"),
    ],
)
def test_markers_go_behind_the_words_that_they_are_of(pieces: list[tuple[str, list[str]]], text: str) -> None:
    assert write_markers([CitedWords(*piece) for piece in pieces]) == text


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([("Use `foo", [A]), ("` now.", [])], f"Use `foo` {A} now."),
        ([("Run:\n```\nmake\n```", [A]), ("\nDone.", [])], f"Run:\n```\nmake\n```\n{A}\nDone."),
        (
            [("Run:\n```\nmake", [A]), ("\nmake test\n```\n\nDone.", [])],
            f"Run:\n```\nmake\nmake test\n```\n{A}\n\nDone.",
        ),
        ([("Run:\n```\nmake", [A])], f"Run: {A}\n```\nmake"),
        ([("```\nmake", [A])], f"{A}\n```\nmake"),
    ],
)
def test_no_marker_is_written_into_code(pieces: list[tuple[str, list[str]]], text: str) -> None:
    assert write_markers([CitedWords(*piece) for piece in pieces]) == text


WORDS = st.lists(
    st.sampled_from(["word", " ", "\n", "```", "~~~", "`", "``", ".", "(", "[1]", A, "\n```\n", "| a |", "é", "\t"]),
    max_size=8,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(WORDS, st.lists(st.sampled_from([A, B, "[cite:ccccc4]"]), max_size=3)), max_size=6))
def test_every_citation_can_be_read_again_and_the_words_stay(pieces: list[tuple[str, list[str]]]) -> None:
    text = write_markers([CitedWords(*piece) for piece in pieces])
    read = {f"[cite:{name}]" for match in iter_markers(text) for name in parse_names(match)}
    assert {marker for _, markers in pieces for marker in markers} <= read
    said = "".join(words for words, _ in pieces)

    def bare(one: str) -> str:
        for marker in (A, B, "[cite:ccccc4]"):
            one = one.replace(marker, "")
        return "".join(one.split())

    assert bare(text) == bare(said)
