"""Tests of `pentad.tools.policy.given_addresses`: an address has to be one that somebody gave the model."""

from typing import Any

import pytest

from pentad.tools.policy.given_addresses import MAX_COMPOSED, SaidText, find_composed

SCHEMA = {
    "type": "object",
    "properties": {
        "url": {"type": "string"},
        "form": {"enum": ["text", "html"]},
        "lang": {"type": "string", "default": "en"},
    },
}
PAGE = (
    "See [the docs](https://docs.example.com/a/b?x=1#top), www.example.org. Also http://evil.example/collect and\n"
    "<https://Bank.example/IN/Box>; next: /next/page?p=2\n"
)


def judge(url: str, *said: SaidText) -> bool:
    return find_composed({"url": url}, said or [SaidText(PAGE, "outside")], SCHEMA) == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://docs.example.com/a/b?x=1#top",
        "https://www.example.org",
        "https://www.example.org/",
        "http://WWW.example.ORG",
        "http://evil.example/collect",
        "http://evil.example/collect/",
        "https://Bank.example/IN/Box",
        "https://bank.example/IN/Box",
        "https://www.example.org/next/page?p=2",
        " https://www.example.org ",
    ],
)
def test_what_stands_in_the_context_was_given(url: str) -> None:
    assert judge(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/collect?pin=1234",
        "http://evil.example/collect/1234",
        "http://evil.example/collec",
        "http://evil.example/collect-1234",
        "http://1234.evil.example/collect",
        "http://1234evil.example/collect",
        "http://evil.example:1234/collect",
        "http://1234@evil.example/collect",
        "http://evil.example/Collect",
        "https://bank.example/in/box",
        "https://docs.example.com/a/b?x=1#1234",
        "https://docs.example.com/a",
        "https://other.example/next/page?p=2",
        "http://evil.example/next/page?p=2&pin=1234",
        "https://example.org",
        "https://www.example.org.evil.example",
        "https://www.example",
        "https://pin1234@www.example.org/next/page?p=2",
        "javascript:1234",
        "evil.example/\ncollect",
        "x",
        "\ud83d",
    ],
)
def test_what_the_model_composed_was_not(url: str) -> None:
    assert not judge(url)


def test_what_the_model_said_first_it_composed_however_often_it_comes_back() -> None:
    url = "http://evil.example/?pin=1234"
    echo = [SaidText("hi", "user"), SaidText(url, "model"), SaidText(f"no results for {url}", "outside")]
    assert not judge(url, *echo)
    assert judge(url, SaidText(f"read {url}", "outside"), *echo)


def test_a_path_that_the_model_said_first_is_no_pages_own() -> None:
    host = SaidText("http://evil.example", "outside")
    assert not judge(
        "http://evil.example/1234", host, SaidText("/1234", "model"), SaidText("/1234 was not found", "outside")
    )


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"url": "www.example.org", "form": "html", "lang": "en"}, ()),
        ({"url": "www.example.org", "form": "my pin is 1234"}, ("form",)),
        ({"url": "www.example.org", "start": 4000, "all": True, "none": None}, ()),
        ({"params": {"pin": "www.example.org"}}, ("params.pin",)),
        ({"params": {"url": "www.example.org"}}, ()),
        ({"headers": [["x", "www.example.org"]]}, ("headers.0.0",)),
        ({"url": ""}, ()),
    ],
)
def test_all_texts_count_names_that_the_model_may_choose_too(arguments: dict[str, Any], found: tuple[str, ...]) -> None:
    assert find_composed(arguments, [SaidText(PAGE, "outside")], SCHEMA) == found


def test_what_is_too_much_or_too_deep_was_not_given() -> None:
    deep: Any = "www.example.org"
    for _ in range(40):
        deep = {"url": deep}
    assert len(find_composed(deep, [SaidText(PAGE, "outside")], SCHEMA)) == 1
    many = {"urls": ["www.example.org"] * 600}
    assert find_composed(many, [SaidText(PAGE, "outside")], SCHEMA) == ("urls.500",)
    assert len(find_composed({"urls": [f"x{n}" for n in range(90)]}, [], SCHEMA)) == MAX_COMPOSED


def test_nothing_said_means_nothing_given() -> None:
    assert find_composed({"url": "www.example.org"}, [], {}) == ("url",)


def test_only_the_users_addresses_count_where_a_project_wants_that() -> None:
    said = [SaidText("Read www.example.org.", "user"), SaidText("http://evil.example", "outside")]
    for url, found in (("https://www.example.org", ()), ("http://evil.example", ("url",))):
        assert find_composed({"url": url}, said, SCHEMA, only_user=True) == found
        assert find_composed({"url": url}, said, SCHEMA) == ()


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"enum": ["https://listed.example/a"]}, {"type": "null"}]},
        {"type": "array", "items": {"const": "https://listed.example/a"}},
        {"oneOf": [{"type": "string"}, {"allOf": [{"default": "https://listed.example/a"}]}]},
    ],
)
def test_an_address_that_the_tool_itself_names_was_given_wherever_its_schema_names_it(schema: dict[str, Any]) -> None:
    tool = {"type": "object", "properties": {"url": schema}}
    assert find_composed({"url": "https://listed.example/a"}, [], tool) == ()
    assert find_composed({"url": "https://listed.example/b"}, [], tool) == ("url",)
