"""Letters that pass for those of another script are found where they deceive, and nowhere else."""

# ruff: noqa: RUF001 - this is about them

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.display.characters import format_json
from pentad.domain.display.scripts import count_alike, find_alike, list_alike_words

DECEIVING = {
    "a Cyrillic a among Latin letters": ("p\u0430ypal", "p\\u0430ypal"),
    "Latin letters among Cyrillic ones": ("\u0440\u0430y\u0440al", "\\u0440\\u0430y\\u0440al"),
    "a Greek o": ("g\u03bfogle", "g\\u03bfogle"),
    "Greek among Cyrillic": ("\u0434\u0438\u03bd", "\u0434\u0438\\u03bd"),
    "Armenian": ("s\u0578n", "s\\u0578n"),
    "a whole name in Cyrillic": ("\u0430\u0440\u0440\u04cf\u0435.com", "\\u0430\\u0440\\u0440\\u04cf\\u0435.com"),
    "a name among words of its script": ("да, \u0440\u0430\u0443", "да, \\u0440\\u0430\\u0443"),
    "a short name alone": ("\u0430\u0441", "\\u0430\\u0441"),
    "capital letters": ("\u0412\u041e\u0412", "\\u0412\\u041e\\u0412"),
    "an address": ("bob@b\u0430nk.com", "bob@b\\u0430nk.com"),
    "mathematical letters": ("\U0001d429ay", "\\ud835\\udc29ay"),
    "full width": ("\uff50ay", "\\uff50ay"),
    "full width digits": ("\uff11\uff10", "\\uff11\\uff10"),
    "letters in circles": ("\u24d1ob", "\\u24d1ob"),
}
PLAIN = [
    "pay 5 euros to Bob",
    "русский текст: сосна, а не ель, о чём",
    "Ελληνικά και αγγλικά",
    "Grüße, naïve, Việt Nam, Łódź, İstanbul",
    "日本語とEnglish",
    "हिन्दी and English",
    "Pentad для всех",
    "price: 10 € — 20 m²",
    "µg",
    "первая строка\nвторая строка\tи",
]


@pytest.mark.parametrize(("text", "shown"), DECEIVING.values(), ids=DECEIVING)
def test_what_passes_for_another_is_written_out_and_the_value_is_the_same(text: str, shown: str) -> None:
    written = format_json({"to": text})
    assert written == f'{{"to": "{shown}"}}'
    assert json.loads(written) == {"to": text}
    assert count_alike([text]) > 0


@pytest.mark.parametrize("text", PLAIN)
def test_the_words_of_a_language_stay_as_they_are(text: str) -> None:
    assert find_alike(text) == frozenset()
    assert json.loads(format_json([text])) == [text]
    assert "\\u04" not in format_json([text])


def test_a_name_is_written_out_wherever_it_stands_among_the_arguments() -> None:
    shown = format_json({"to": ["ok", {"\u0430\u0441\u0435": 1}], "\u0440\u0430\u0443": "x"})
    assert "\\u0430\\u0441\\u0435" in shown and "\\u0440\\u0430\\u0443" in shown


def test_a_letter_of_an_escape_is_none_of_the_word_behind_it() -> None:
    assert format_json("\nпривет\tмир") == '"\\nпривет\\tмир"'


@given(st.text(), st.sampled_from(["p\u0430y", "\u0430\u0441\u0435", ""]))
def test_json_stays_the_same_value(text: str, more: str) -> None:
    assert json.loads(format_json({text: text + more})) == {text: text + more}


def test_words_of_a_text_are_named_once_with_how_they_are_written() -> None:
    text = "p\u0430ypal, p\u0430ypal and \u0455\u0441\u043e\u0440\u0435 and \U0001d429ay"
    assert list_alike_words(text) == [
        ("p\u0430ypal", "p\\u0430ypal"),
        ("\u0455\u0441\u043e\u0440\u0435", "\\u0455\\u0441\\u043e\\u0440\\u0435"),
        ("\U0001d429ay", "\\U0001d429ay"),
    ]
    assert list_alike_words(text, 1) == [("p\u0430ypal", "p\\u0430ypal")]
    assert list_alike_words("paypal and Привет") == []
