"""Halves of surrogate pairs are replaced, in text and in JSON's escapes; whole pairs and all else stay."""

import json

import pytest

from pentad.domain.display.unicode_text import mend_escapes, replace_halves


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"answer \ud83d end"', "answer \ufffd end"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\uD83D\uDE00\uDE00"', "\U0001f600\ufffd"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (r'"\ude00\ud83d"', "\ufffd\ufffd"),
        (r'"a literal \\ud83d stays"', r"a literal \ud83d stays"),
        (r'"\\\ud83d"', "\\\ufffd"),
        (r'"\u00e9 \ud7ff \ue000"', "\u00e9 \ud7ff \ue000"),
        (r'{"k\ud800": ["\udfff"]}', {"k\ufffd": ["\ufffd"]}),
    ],
)
def test_halves_in_json_become_the_replacement_character(written: str, read: object) -> None:
    found = json.loads(mend_escapes(written))
    assert found == read
    json.dumps(found, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("a\ud83d b", "a\ufffd b"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("plain \u00e9", "plain \u00e9"),
    ],
)
def test_halves_in_text_become_the_replacement_character(text: str, mended: str) -> None:
    assert replace_halves(text) == mended
