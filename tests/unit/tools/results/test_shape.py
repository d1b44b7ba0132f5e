"""A long text is shown by its head and tail, and says what is between."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.tools.results.shape import MAX_SHOWN_BYTES, shape_text

LOG = "".join(f"line {number}: größe={number * 7}\n" for number in range(1, 20_001))
NOTE = re.compile(
    r"\[cut: bytes ([\d,]+) to ([\d,]+) of ([\d,]+) \(lines ([\d,]+) to ([\d,]+) of ([\d,]+)\) are left out"
)


def read_note(text: str) -> list[int]:
    match = NOTE.search(text)
    assert match is not None
    return [int(number.replace(",", "")) for number in match.groups()]


def test_what_fits_is_not_touched() -> None:
    assert shape_text("ü" * (MAX_SHOWN_BYTES // 2)) == "ü" * (MAX_SHOWN_BYTES // 2)


@given(st.text(min_size=1), st.integers(min_value=0, max_value=3_000))
def test_no_text_is_longer_than_its_limit(text: str, limit: int) -> None:
    clean = text.encode(errors="ignore").decode() * 200
    assert len(shape_text(clean, limit, handle="res_1_0_0123456789ab").encode()) <= limit


def test_head_and_tail_end_and_begin_with_a_line_and_the_note_says_which_are_left_out() -> None:
    text = shape_text(LOG, 4_000, handle="res_1_0_0123456789ab")
    head, _, rest = text.partition("[cut: ")
    note, _, tail = rest.partition("]\n")
    begin, end, size, first, last, lines = read_note(text)
    assert LOG.startswith(head) and head.endswith("\n") and LOG.endswith(tail) and tail.startswith("line ")
    assert LOG.encode()[:begin].decode() == head and LOG.encode()[end:].decode() == tail
    assert (size, lines) == (len(LOG.encode()), 20_001)
    assert head.count("\n") + 1 == first and int(tail.split(":")[0].removeprefix("line ")) == last + 1
    assert note.endswith('kept: read them with read_result, handle "res_1_0_0123456789ab"')


def test_without_a_handle_the_note_says_that_the_rest_is_not_kept() -> None:
    assert "left out here and not kept]" in shape_text(LOG, 4_000)


@pytest.mark.parametrize("letter", ["ü", "漢", "😀"])
def test_no_character_is_cut_in_two(letter: str) -> None:
    for limit in range(1_000, 1_012):
        assert "\ufffd" not in shape_text(letter * 1_000, limit)


def test_the_top_of_an_object_is_named_with_sizes() -> None:
    value = {"items": [{"id": number, "note": "x" * 30} for number in range(2_000)], "next": "abc", "total": 2_000}
    outline = shape_text(json.dumps(value), 5_000, value).splitlines()[0]
    assert outline.startswith("[JSON object of ") and '"items" (array of 2,000, ' in outline
    assert '"next" (text, 5 bytes)' in outline and '"total" (4 bytes)' in outline
    assert shape_text(json.dumps(value), 5_000).splitlines()[0] == outline


def test_the_fields_of_an_arrays_first_item_are_named() -> None:
    text = shape_text(json.dumps([{"id": 1, "name": "x" * 50}] * 500), 2_000)
    assert re.match(r'\[JSON array of 500 items, [\d,]+ bytes; the first has: "id", "name"\]\n', text)


@pytest.mark.parametrize(
    "value",
    [{f"key {number}": "x" * 20 for number in range(5_000)}, {"k" * 5_000: "x" * 9_000}, {"": {"": "x" * 9_000}}],
)
def test_an_outline_is_bounded_whatever_the_keys(value: object) -> None:
    assert len(shape_text(json.dumps(value), 3_000).splitlines()[0]) < 1_000


@pytest.mark.parametrize("text", ["{" * 60_000, "[" * 60_000, '{"a": ' + "9" * 60_000, "{not json" * 9_000])
def test_what_only_looks_like_json_is_shown_as_text(text: str) -> None:
    assert shape_text(text, 2_000).startswith(text[:500])
