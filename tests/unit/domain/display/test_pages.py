"""What is put into a page or a chat is text there."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.display.pages import embed_json, escape_html, escape_html_line, escape_slack

HOSTILE = st.text(st.characters() | st.sampled_from("<>&\"'`/!@#|*_~-\n\u202e\u200b\x1b"))


class Reader(HTMLParser):
    """Keeps what a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(HOSTILE)
def test_a_page_has_no_element_and_no_attribute_that_comes_from_outside(text: str) -> None:
    page = Reader(f'<p title="{escape_html_line(text)}">{escape_html(text)}</p>')
    assert [tag for tag, _ in page.tags] == ["p"]
    assert [name for name, _ in page.tags[0][1]] == ["title"]
    assert "\u202e" not in page.text
    assert "\n" not in escape_html_line(text)


@given(st.recursive(HOSTILE, lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner)))
def test_json_in_a_script_is_the_value_and_ends_nothing(value: object) -> None:
    shown = embed_json(value)
    assert json.loads(shown) == value
    assert not [one for one in ("<", ">", "&", "\u2028", "\u2029") if one in shown]


@pytest.mark.parametrize("text", ["<!channel> <@U123> <!subteam^S1>", "<https://evil.example|the console>", "a & b"])
def test_nobody_is_called_and_nothing_is_linked_in_slack(text: str) -> None:
    assert "<" not in escape_slack(text)
    assert escape_slack(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


def test_lines_stay_and_what_hides_is_marked_in_slack() -> None:
    assert escape_slack("one\n\u202etwo") == "one\n\\u202etwo"
