"""JSON of others is read as JSON has it, and what can't be passed on is an error of one kind."""

import math
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput
from pentad.domain.reading.json_text import read_json, read_message_body, read_strict_json


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


@pytest.mark.parametrize(
    "text", ["", "{", "x", b"\xff", "9" * 5000, "[" * 201 + "]" * 201, "[" * 100_000, '{"a":' * 9_000]
)
def test_a_reader_that_is_ready_for_bad_json_is_ready_for_all_of_it(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"line 1|too deep|digits|decode"):
        read_json(text)


def test_a_text_is_read_as_python_reads_it() -> None:
    assert read_json(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}
    assert read_json(r'"\ud83d"') == "\ud83d"
    assert math.isnan(read_json("NaN"))
    assert read_json("[" * 200 + "]" * 200)
    assert read_json("[" * 3 + "1" + "]" * 3 + " ") == [[[1]]]


def test_a_message_is_an_object_that_can_be_passed_on() -> None:
    assert read_message_body(r'{"a": "x\ud83d"}') == {"a": "x\ufffd"}


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "null", '"a"', "NaN", '{"a": NaN}', '{"a": 1e999}', "[" * 100_000, f'{{"a": {"9" * 5_000}}}'],
)
def test_another_message_is_told_so(body: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_message_body(body)
    assert (caught.value.field, caught.value.fix) == ("body", "send one JSON object")
