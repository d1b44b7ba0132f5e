"""JSON of others is read as JSON has it, and what can't be passed on is an error of one kind."""

from typing import Any

import pytest

from pentad.domain.reading.json_text import read_strict_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("9" * 4000, int("9" * 4000)),
        (r'"\ud83d"', "\ud83d"),
        (r'"\ud83d\ude00"', "😀"),
        ("[" * 200 + "]" * 200, None),
    ],
)
def test_json_is_its_value(text: str, value: Any) -> None:
    read = read_strict_json(text)
    assert read == value or (value is None and isinstance(read, list))


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "[-Infinity]", "1e999", '{"a": -1e400}', "9" * 5000, "[" * 202 + "]" * 202, "[" * 100_000],
)
def test_what_cannot_be_passed_on_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 1|too large"):
        read_strict_json(text)
