"""Documents of each type as text and structure."""

import json

import pytest

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.parse import detect_kind, parse
from pentad.memory.documents.structure import ParsedDocument


def read(text: str | bytes, name: str = "a.md", media_type: str = "") -> ParsedDocument:
    return parse(text.encode() if isinstance(text, str) else text, name=name, media_type=media_type)


def shown(parsed: ParsedDocument) -> list[tuple[str, str]]:
    return [(block.kind, parsed.text[block.start : block.end].strip()) for block in parsed.blocks]


def paths(parsed: ParsedDocument) -> dict[str, tuple[str, ...]]:
    return {parsed.text[block.start : block.end].strip(): block.path for block in parsed.blocks}


@pytest.mark.parametrize(
    ("name", "media_type", "expected"),
    [
        ("a.md", "", "text/markdown"),
        ("a.md", "binary/octet-stream", "text/markdown"),
        ("a.md", "text/plain; charset=utf-8", "text/markdown"),
        ("a.txt", "text/html", "text/html"),
        ("a", "text/x-markdown", "text/markdown"),
        ("a.unknown", "", "text/plain"),
        ("main.py", "text/x-python", "text/plain"),
        ("a.tsv", "text/tab-separated-values", "text/csv"),
        ("A.HTM", "application/octet-stream", "text/html"),
    ],
)
def test_the_type_is_the_declared_one_or_else_the_endings(name: str, media_type: str, expected: str) -> None:
    assert read("x", name, media_type).media_type == expected


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (b"%PDF-1.4", "a.txt", "text/plain"),
        (b"PK\x03\x04", "a.docx", ""),
        (b"\x89PNG\x00", "a.png", "image/png"),
        (b"\x00\x01\x02", "a.bin", ""),
    ],
)
def test_types_that_can_not_be_read_are_refused(data: bytes, name: str, media_type: str) -> None:
    with pytest.raises(InvalidInput) as error:
        read(data, name, media_type)
    assert error.value.field == "media_type"


def test_the_charset_of_the_content_type_is_used() -> None:
    assert read("Привет".encode("cp1251"), "a.txt", 'text/plain; charset="windows-1251"').text == "Привет"


def test_the_charset_of_an_html_page_is_used() -> None:
    page = '<meta charset="windows-1251"><p>Привет</p>'.encode("cp1251")
    assert read(page, "a.html").text == "Привет"


def test_line_ends_are_made_equal_and_invisible_characters_go() -> None:
    assert read("a\r\nb\rc\x00d\x1b", "a.txt").text == "a\nb\ncd"


def test_paragraphs_of_plain_text_are_separated_by_blank_lines() -> None:
    assert shown(read("one\ntwo\n\n  \nthree", "a.txt")) == [("text", "one\ntwo"), ("text", "three")]


def test_markdown_stays_as_it_is() -> None:
    source = "---\ntitle: x\n---\n# A *b*\n\n- c\n  - d\n\n> e\n"
    assert read(source).text == source


def test_markdown_has_its_structure() -> None:
    parsed = read("# A\n\npara\nmore\n\n- one\n- two\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```py\n# no heading\n```\n")
    assert shown(parsed) == [
        ("heading", "# A"),
        ("text", "para\nmore"),
        ("item", "- one"),
        ("item", "- two"),
        ("row", "| x | y |"),
        ("row", "| 1 | 2 |"),
        ("code", "```py\n# no heading\n```"),
    ]


def test_markdown_headings_make_paths() -> None:
    found = paths(
        read("# A `b` [c](http://x)\n\n### D\n\none\n\nE_f_g\n=====\n\ntwo\n\n## H\n\nthree\n\n> # quoted\n\nfour\n")
    )
    assert found["one"] == ("A b c", "D")
    assert found["two"] == ("E_f_g",)
    assert found["three"] == found["four"] == ("E_f_g", "H")


def test_front_matter_is_no_heading() -> None:
    assert paths(read("---\nkey: value\n---\n\n# A\n\none\n"))["one"] == ("A",)


def test_html_is_rendered_with_its_structure() -> None:
    parsed = read(
        "<html><head><title>Page</title><style>p {}</style><script>alert(1)</script></head><body>intro"
        "<h1>A &amp; B</h1><p>one <b>bold</b>\n  two<br>three</p><ul><li>x<li>y</ul>"
        "<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table>"
        "<pre>  code\n    more\n</pre><noscript>no</noscript><template>no</template></body></html>",
        "a.html",
    )
    assert shown(parsed) == [
        ("text", "intro"),
        ("heading", "A & B"),
        ("text", "one bold two\nthree"),
        ("item", "x"),
        ("item", "y"),
        ("row", "k | v"),
        ("row", "1 | 2"),
        ("code", "code\n    more"),
    ]
    assert paths(parsed)["intro"] == ("Page",)
    assert paths(parsed)["x"] == ("A & B",)


@pytest.mark.parametrize(
    "markup", ["<p>a<!-- open", "<p>a</p></div></p>", "a<script>never closed", "a<b <c", "<![if x]>a"]
)
def test_broken_html_is_read_as_far_as_it_goes(markup: str) -> None:
    assert read(markup, "a.html").text.startswith("a")


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p title='a>b' class=\"c>d\">x</p>", "x"),
        ("<p title=it's>x</p><p>don't</p>", "x\n\ndon't"),
        ("<P>x</P><SCRIPT>no</scripty>no</Script >y", "x\n\ny"),
        ("<!-- a > b -->x<!DOCTYPE html><?php no ?>y", "xy"),
        ("<!-->x", "x"),
        ("<textarea><b>x &lt;</b></textarea>", "<b>x <</b>"),
        ("<title>never closed<p>x", "x"),
        ("1 < 2 && 3 > 2 &amp; a<1", "1 < 2 && 3 > 2 & a<1"),
        ("x &#" + "9" * 5000 + "; y", "x \ufffd y"),
        ("x <a href='", "x <a href='"),
        ("<br/>x<hr/>y</>z", "x\n\nyz"),
        ("<a\nhref = 'x'\n>y</a\n>", "y"),
    ],
)
def test_html_is_cut_as_browsers_cut_it(markup: str, expected: str) -> None:
    assert read(markup, "a.html").text == expected


def test_paragraphs_keep_their_inner_line_ends() -> None:
    assert shown(read(" \n one\n two\n\t\nthree\n", "a.txt")) == [("text", "one\n two"), ("text", "three")]


def test_csv_rows_name_their_columns() -> None:
    parsed = read('name,price\nBolt,3\n"a, b","line\nbreak"\n,\nx,,extra\n', "a.csv")
    assert shown(parsed) == [
        ("row", "name: Bolt; price: 3"),
        ("row", "name: a, b; price: line\nbreak"),
        ("row", "name: x; extra"),
    ]


def test_csv_may_be_separated_otherwise() -> None:
    assert read("a;b\n1,5;2\n", "a.csv").text == "a: 1,5; b: 2"
    assert read("a\tb\n1\t2\n", "a.tsv").text == "a: 1; b: 2"


def test_csv_with_an_endless_field_is_refused() -> None:
    with pytest.raises(InvalidInput, match="CSV"):
        read('a,b\n"' + "x" * 200_000, "a.csv")


def test_json_entries_are_lines_of_path_and_value() -> None:
    parsed = read(json.dumps({"a": {"b": [1, {"c": None}], "d": "x\ny"}, "e": []}), "a.json")
    assert shown(parsed) == [("row", "a.b[0]: 1\na.b[1].c: null\na.d: x\ny"), ("row", "e: []")]


def test_json_lists_and_json_lines_have_a_block_an_entry() -> None:
    assert [words for _, words in shown(read('[{"a": 1}, {"a": 2}]', "a.json"))] == ["a: 1", "a: 2"]
    assert [words for _, words in shown(read('{"a": 1}\n\n{"a": 2}\n', "a.jsonl"))] == ["a: 1", "a: 2"]


@pytest.mark.parametrize("text", ["{", "[1,]", "[" * 100_000, "", "9" * 5000])
def test_json_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="JSON"):
        read(text, "a.json")


def test_a_lone_surrogate_in_json_does_not_get_through() -> None:
    assert read('{"a": "x\\ud800y"}', "a.json").text == "a: xy"


def test_a_document_that_grows_too_long_as_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too long"):
        read("h" * 200 + ",b\n" + "1,2\n" * 150_000, "a.csv")


_CSV, _HTML = "a;b\n1;2\n", "<!DOCTYPE html><html><body><p>Hi</p></body></html>"


@pytest.mark.parametrize(
    ("data", "name", "label", "expected"),
    [
        (_CSV, "a.csv", "application/vnd.ms-excel", "text/csv"),
        (_CSV, "A.CSV", "application/octet-stream", "text/csv"),
        (_CSV, "a.csv", "application/json", "text/csv"),
        ("# Plan", "a.md", "application/json", "text/markdown"),
        ("# Plan", "a.md", "image/png", "text/markdown"),
        ("# Plan", "plan", "application/json", "text/plain"),
        (_HTML, "a", "application/octet-stream", "text/html"),
        (_HTML, "a.json", "application/json", "text/html"),
        (_HTML.encode("utf-16"), "a", "", "text/html"),
        ('{"a": 1}', "a", "application/vnd.ms-excel", "application/json"),
        ("[see](b) c", "a", "", "text/plain"),
        ('{"a": 1}', "a.csv", "application/json", "application/json"),
        ("", "a.json", "application/json", "application/json"),
        ("a,b", "a.csv", "text/markdown", "text/markdown"),
    ],
)
def test_the_content_decides_where_the_label_is_wrong(data: str | bytes, name: str, label: str, expected: str) -> None:
    raw = data.encode() if isinstance(data, str) else data
    assert detect_kind(raw, name=name, declared=label) == expected


@pytest.mark.parametrize(
    ("data", "name", "label"),
    [
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 600, "a.csv", "text/csv"),
        (b"%PDF-1.7", "a.md", "text/markdown"),
        (b"PK\x03\x04" + b"\x00" * 40 + b"word/document.xml", "a.txt", "text/plain"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a.png", "image/png"),
    ],
)
def test_content_that_is_no_text_is_refused_whatever_its_label_says(data: bytes, name: str, label: str) -> None:
    with pytest.raises(InvalidInput):
        read(data, name, label)
