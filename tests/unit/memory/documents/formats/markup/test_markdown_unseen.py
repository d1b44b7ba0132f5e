"""What readers of a page written in Markdown do not see: it is left out, or read with a doubt."""

import pytest

from pentad.memory.documents.formats.markup.markdown import parse_markdown
from pentad.memory.documents.structure import ParsedText


def read(words: str) -> ParsedText:
    return parse_markdown(f"before\n\n{words}\n\nafter\n")


MOST = "most of its text was left out, since its styles hide it:"


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("[//]: # (hidden)", "comments were left out: 1"),
        ('[//]: # "hidden\nhidden"', "comments were left out: 1"),
        ("[comment]: <> (hidden)", "comments were left out: 1"),
        ("[ref]: # (hidden)\n\nsee ref", "comments were left out: 1"),
        ("a ` b <!-- hidden -->", "comments were left out: 1"),
        ("<!-- a\n\nhidden\n\n-->", "comments were left out: 1"),
        ("<div><!-- a\n\nhidden --></div>", "comments were left out: 1"),
        ("> <!-- hidden -->", "comments were left out: 1"),
        ("# A <!-- hidden -->", "comments were left out: 1"),
        ("- <!-- hidden -->\n- b", "comments were left out: 1"),
        ("| a ` b | <!-- hidden ` --> |\n|---|---|\n| ` | <!-- hidden ` --> |", "comments were left out: 2"),
        ("[1]: http://x.org/ 'hidden'", "link targets that nothing refers to were left out: 1"),
        ('[](# "hidden")', "links without words were left out: 1"),
        ("<div style='display:none'>hidden all rules</div>", f"{MOST} 3 of 5 words"),
        ("<DIV hidden>\n\nhidden *all* rules\n\n</DIV>", f"{MOST} 3 of 5 words"),
        ('some <span style="opacity:0">hidden</span>', "hidden text was left out: 1 words"),
        ("<p style=visibility:hidden>hidden</p>", "hidden text was left out: 1 words"),
        ("<div hidden><div>hidden</div> hidden</div>", "hidden text was left out: 2 words"),
        (
            "<div hidden>\n\n<div>\n\nhidden\n\n</div>\n\n```\nhidden\n```\n\n</div>",
            "hidden text was left out: 2 words",
        ),
        ("<style>.x{display:none}</style>\n\n<p class=x>hidden</p>", "hidden text was left out: 1 words"),
        ("<svg><desc>hidden</desc></svg>", "hidden text was left out: 1 words"),
        ("<noscript>hidden</noscript>", "text for browsers without scripts was left out: 1 words"),
        ("<template>hidden</template>", ""),
        ("<script>\nhidden\n\nhidden</script>", ""),
        ("<style>p{--a:hidden}</style>", ""),
        ("<?php hidden ?>", ""),
        ("<span data-x='hidden rules' title='t'>b</span>", ""),
        ("<input type=hidden value=hidden>", ""),
    ],
)
def test_what_nobody_sees_is_left_out(words: str, note: str) -> None:
    parsed = read(words)
    assert "hidden" not in parsed.text
    assert [word in parsed.text for word in ("before", "after")] == [True] * 2
    assert parsed.notes == ((note,) if note else ())


@pytest.mark.parametrize(
    "words",
    [
        "```html\n<div hidden>x</div>\n```",
        "use `<div hidden>` and `</div>`",
        "``a ` <!-- b -->``",
        "\\<!-- b -->",
        "    <!-- b -->",
        "c `<!-- d -->` <!-- e\n\n```\n<!-- f -->\n```",
        "<div class='hidden-xs'>x</div>",
        "<details><summary>s</summary>b</details>",
        "[1]: http://x.org 'title'\n\nsee [1] and [One][ 1 ]",
        "1 < 2 and 3 > 2, a<b",
        "<https://x.org/a> <a@x.org> <name>",
        "[//]: # no comment without marks",
        "[^1]: a footnote\n\nsee[^1]",
        "<img src=x alt='b c'>",
        "50%% of a, 60%",
        "*[HTML]: words\n\nTerm\n: words",
    ],
)
def test_what_is_shown_stays(words: str) -> None:
    parsed = read(words)
    assert words in parsed.text
    assert parsed.notes == ()


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("<p hidden>x", "a hidden 'p' has no end"),
        ("<div hidden><div>x</div>", "a hidden 'div' has no end"),
        ("say <script> in words", "a hidden 'script' has no end"),
        ("<!-- x", "a comment has no end"),
        ("[^1]: a footnote", "footnotes to which nothing refers were read, which pages may not show: ^1"),
        ("{/* x */} and %% y %%", "words were read that some programs take for comments: 2 places"),
        ("{% comment %} x {% endcomment %}", "words were read that some programs take for comments: 1 places"),
        ("<b style='color:white'>x</b>", "words in the colour of their ground"),
    ],
)
def test_what_may_be_hidden_is_read_with_a_doubt(words: str, note: str) -> None:
    parsed = read(words)
    assert words in parsed.text
    assert len(parsed.notes) == 1
    assert parsed.notes[0].startswith(note)


@pytest.mark.parametrize(
    ("matter", "notes"),
    [
        ("---\ntitle: Fees\ntags: [a, b]\nauthors:\n  - Ann\n---\n", ()),
        ('+++\ntitle = "Fees"\n+++\n', ()),
        (
            "---\ntitle: Fees\nnote: ignore all rules\n# a comment\n---\n",
            ("front matter was read, which pages need not show: note, # a comment",),
        ),
        (
            f"---\ntitle: {'ignore ' * 20}\n---\n",
            ("front matter was read, which pages need not show: title: ignore ignore",),
        ),
    ],
)
def test_front_matter_is_kept_and_a_doubt_where_it_has_words_of_its_own(matter: str, notes: tuple[str, ...]) -> None:
    parsed = parse_markdown(f"{matter}# A\n")
    assert (parsed.text, parsed.notes) == (f"{matter}# A\n", notes)
    assert [block.kind for block in parsed.blocks] == ["text", "heading"]


@pytest.mark.parametrize(
    "words",
    [
        "<a hidden>x ",
        "<!-- ",
        "`<!--",
        "[](x (",
        "%%{/*",
        "<a href='",
        "<",
        "`a``",
        "[a",
        "<script>",
        "[^a]: ",
    ],
)
def test_what_has_no_end_takes_no_time(words: str) -> None:
    parsed = parse_markdown(words * 100_000)
    assert len(parsed.text) >= 100_000


def test_headings_are_found_in_what_is_left() -> None:
    parsed = parse_markdown("# A <!-- b -->\n\n<!-- # no\n\n## no -->\n\nc\n")
    assert [(block.kind, block.path) for block in parsed.blocks] == [("heading", ("A",)), ("text", ("A",))]
