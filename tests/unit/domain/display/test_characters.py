"""What is shown hides nothing: the characters that a screen obeys, or does not show, are written out."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.display.characters import (
    MOST_MARKS,
    count_marked,
    cut_text,
    format_json,
    mark_line,
    mark_text,
    shorten_line,
)

# Each with the name of what it does to a screen.
ACTING = {
    "an escape sequence": "\x1b[2J\x1b[1;1H",
    "a title that is set": "\x1b]0;you\x07",
    "a sequence of one byte": "\x9b31m",
    "a backspace": "\b\b\b",
    "a carriage return": "\r",
    "a right-to-left override": "\u202e",
    "an isolate": "\u2066\u2069",
    "a line separator": "\u2028",
    "a paragraph separator": "\u2029",
    "a next line": "\x85",
    "a vertical tab": "\x0b",
    "a zero-width space": "\u200b",
    "a byte order mark": "\ufeff",
    "a soft hyphen": "\xad",
    "words in tag characters": "".join(chr(0xE0000 + ord(letter)) for letter in "pay"),
    "bytes in variation selectors": "\ufe00\U000e0101\U000e01ef",
    "a Hangul filler": "\u3164\u115f",
    "Braille's blank": "\u2800",
    "a private character": "\ue000\U0010ffff",
    "a delete": "\x7f",
    "a lone surrogate": "\ud800",
}
SHOWN_AS_THEY_ARE = [
    "pay 5 euros to Bob",
    "Grüße, naïve, Việt Nam, Ελληνικά, русский",
    "日本語　の文章",
    "שָׁלוֹם",
    "مرحبا بالعالم",
    "हिन्दी",
    "10\u00a0€ — “quoted” … 🙂 👍🏽 ❤\ufe0f ☎\ufe0e",
    "\u0601\u06dd",
]
NOT_PRINTED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
NUMBER_SIGNS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
texts = st.text(st.characters() | st.sampled_from([*"".join(ACTING.values()), "\n", "\t", '"', "\\", " "]))

values = st.recursive(
    texts | st.integers() | st.none() | st.booleans(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
)


@pytest.mark.parametrize("acting", ACTING.values(), ids=ACTING)
def test_what_acts_is_written_out_and_the_words_around_it_stay(acting: str) -> None:
    for shown in (mark_line(f"before{acting}after"), mark_text(f"before{acting}after")):
        assert shown.startswith("before\\")
        assert shown.endswith("after")
        assert shown.isascii()


@pytest.mark.parametrize("text", SHOWN_AS_THEY_ARE)
def test_the_words_of_every_script_are_shown_as_they_are(text: str) -> None:
    assert mark_line(text) == text
    assert json.loads(format_json(text)) == text


def test_joiners_that_scripts_need_are_marked_and_no_letter_is_lost() -> None:
    persian, hindi = "\u0645\u06cc\u200c\u062e\u0648", "\u0915\u094d\u200d\u0937"
    assert mark_line(persian) == persian.replace("\u200c", "\\u200c")
    assert mark_line(hindi) == hindi.replace("\u200d", "\\u200d")


def test_a_line_is_one_line_and_a_text_keeps_its_lines() -> None:
    assert mark_line("one\n  approved by Ann\ttwo") == "one\\n  approved by Ann\\ttwo"
    assert mark_text("one\r\ntwo\tthree\rfour") == "one\ntwo\tthree\\rfour"


def test_marks_that_pile_up_over_other_lines_are_written_out() -> None:
    pile = "e" + "\u0301" * 40
    assert mark_text(pile) == "e" + "\u0301" * MOST_MARKS + "\\u0301" * (40 - MOST_MARKS)
    assert mark_text("\u0336struck") == "\\u0336struck"


def test_a_value_as_json_has_a_mark_for_each_space_that_is_not_the_ordinary_one() -> None:
    assert format_json({"to": "Bob\u00a0"}) == '{"to": "Bob\\u00a0"}'
    assert format_json(["\u3000", "\u0301x", "❤\ufe0f"]) == '["\\u3000", "\\u0301x", "❤\\ufe0f"]'


def test_json_puts_each_entry_on_a_line_of_its_own_and_a_value_on_no_other() -> None:
    shown = format_json({"a": "1\n  call 2 of 2: notes", "b": {"c": [1]}}, indent=2)
    assert shown.split("\n") == [
        "{",
        '  "a": "1\\n  call 2 of 2: notes",',
        '  "b": {',
        '    "c": [',
        "      1",
        "    ]",
        "  }",
        "}",
    ]


@given(values)
def test_marked_json_is_the_same_value_and_prints(value: object) -> None:
    shown = format_json(value)
    assert json.loads(shown) == value
    assert not [one for one in shown if unicodedata.category(one) in NOT_PRINTED and one not in NUMBER_SIGNS]
    shown.encode()


@given(texts)
def test_what_is_marked_is_marked_once(text: str) -> None:
    assert mark_line(mark_line(text)) == mark_line(text)
    assert "\n" not in mark_line(text)
    mark_text(text).encode()


def test_a_shortened_line_says_that_it_is_cut() -> None:
    assert shorten_line("a  b\nc", 10) == "a b c"
    assert shorten_line("word " * 40, 10) == "word word…"
    assert shorten_line(" " * 100 + "x", 10).endswith("…")
    assert len(shorten_line("\u202e" * 400, 10)) == 10


def test_what_is_cut_off_is_counted() -> None:
    assert cut_text("abcdef", 4) == ("abcd", 2)
    assert cut_text("abc", 4) == ("abc", 0)


def test_what_is_marked_is_counted() -> None:
    assert count_marked("a\u202eb\u200b\nc") == 2
