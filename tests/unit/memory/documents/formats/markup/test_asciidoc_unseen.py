"""What readers of a page written in AsciiDoc do not see: it is left out, or read with a doubt."""

import pytest

from pentad.memory.documents.formats.markup.asciidoc import parse_asciidoc
from pentad.memory.documents.structure import ParsedText


def read(words: str) -> ParsedText:
    return parse_asciidoc(f"before\n\n{words}\n\nafter\n")


ATTRIBUTES = "attributes that the text does not use were left out: 1"
TERMS = "terms for an index, which pages do not show, were left out: 1"


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("// hidden", "comments were left out: 1"),
        ("shown\n// hidden\nshown", "comments were left out: 1"),
        ("//hidden\n//\nshown", "comments were left out: 2"),
        ("////\nhidden\n\n----\nhidden\n////\nshown", "comments were left out: 1"),
        ("[comment]\nhidden\nhidden\n\nshown", "comments were left out: 1"),
        ("[comment]\n--\nhidden\n\nhidden\n--\nshown", "comments were left out: 1"),
        ("[comment]\n====\nhidden\n\nhidden\n====", "comments were left out: 1"),
        ("|===\n|shown\n// hidden\n|===", "comments were left out: 1"),
        ("====\n////\nhidden\n////\nshown\n====", "comments were left out: 1"),
        (":attr: hidden words", ATTRIBUTES),
        (":description: hidden \\\nhidden\n\nshown", ATTRIBUTES),
        ("shown (((hidden, term)))", TERMS),
        ("shown indexterm:[hidden]", TERMS),
        ("++++\n<p hidden>hidden</p>\n<p>shown</p>\n++++", "hidden text was left out: 1 words"),
        ("shown pass:[<b hidden>hidden</b>]", "hidden text was left out: 1 words"),
        ("+++<b style='display:none'>hidden</b>+++ shown", "hidden text was left out: 1 words"),
        ("++++\n<!-- hidden -->\n++++", "comments within HTML were left out: 1"),
    ],
)
def test_what_nobody_sees_is_left_out(words: str, note: str) -> None:
    parsed = read(words)
    assert "hidden" not in parsed.text
    assert parsed.text.count("shown") == words.count("shown")
    assert [word in parsed.text for word in ("before", "after")] == [True] * 2
    assert parsed.notes == (note,)


@pytest.mark.parametrize(
    "words",
    [
        "/// words",
        "----\n// code\n----",
        "....\n////\na\n////\n....",
        "```\n// code\n```",
        "{attr}\n\n:attr: some words",
        ":toc: left\n:author: Ann Bell",
        "((a term))",
        "<div hidden>words</div>",
        "http://x.org // words",
        "pass:[a\\] b] words",
    ],
)
def test_what_is_shown_stays(words: str) -> None:
    parsed = read(words)
    assert words in parsed.text
    assert parsed.notes == ()


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("ifdef::x[]\nwords\nendif::[]", "text was read that shows under conditions only: ifdef::x"),
        ("ifdef::x[words]", "text was read that shows under conditions only: ifdef::x"),
        ("include::a.adoc[]", "other files that it includes were not read: a.adoc"),
        ("////\nwords", "a block of comments has no end: what follows it was read"),
    ],
)
def test_what_may_be_hidden_is_read_with_a_doubt(words: str, note: str) -> None:
    parsed = read(words)
    assert words in parsed.text
    assert parsed.notes == (note,)


@pytest.mark.parametrize(
    "text",
    [
        "// a\nb\n" * 50_000,
        "".join("/" * length + "\n" for length in range(4, 1_000)) + "a\n" * 100_000,
        "+++ " * 100_000,
        "pass:[" * 100_000,
        "(((" * 100_000,
        "".join(f":a{number}: b c\n" for number in range(20_000)),
    ],
)
def test_much_markup_takes_no_time(text: str) -> None:
    assert len(parse_asciidoc(text).text) <= len(text)
