"""Format conversion: what stays, what is lost and told, and what is refused."""

import json
import re
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.formats.convert import Dialects, Format, convert_text

TABLE = "# Prices\n\n| item | price |\n|---|---|\n| **tea** \\| black | 1.10 |\n"


def convert(content: str, source: Format, target: Format, **options: Any) -> str:
    return convert_text(content, source, target, **options)[0]


def losses(content: str, source: Format, target: Format) -> str:
    return "; ".join(convert_text(content, source, target)[1])


def refuse(content: str, source: Format, target: Format, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        convert_text(content, source, target, **options)
    assert caught.value.fix
    return caught.value.message


@pytest.mark.parametrize("target", ["json", "jsonl", "yaml", "toml"])
@pytest.mark.parametrize("number", ["1.10", "123456789012345678901234567890", "-0.000000000000000000000000001"])
def test_numbers_keep_their_digits(target: Format, number: str) -> None:
    assert convert(convert(f'{{"n": {number}}}', "json", target), target, "jsonl") == f'{{"n":{number}}}\n'


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_json_goes_through_yaml_unchanged(value: Any) -> None:
    text = json.dumps(value)
    assert json.loads(convert(convert(text, "json", "yaml"), "yaml", "json")) == value


@given(PLAIN)
def test_yaml_that_is_written_means_the_same_to_a_reader_of_yaml_1_1(value: Any) -> None:
    assert yaml.safe_load(convert(json.dumps(value), "json", "yaml")) == value


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), PLAIN.filter(bool), max_size=4))
def test_toml_that_is_written_is_read_by_the_standard_library(value: dict[str, Any]) -> None:
    text, told = convert_text(json.dumps(value), "json", "toml")
    assert tomllib.loads(text) == value or any("null" in sentence for sentence in told)


@given(st.dictionaries(st.text(max_size=6), PLAIN, max_size=4))
def test_xml_that_is_written_is_read_again(value: dict[str, Any]) -> None:
    assert convert(convert(json.dumps(value), "json", "xml"), "xml", "json")


@given(st.lists(st.fixed_dictionaries({"a": st.text(max_size=8), "b;c": st.text(max_size=8)}), min_size=1, max_size=5))
def test_rows_of_text_go_through_csv_unchanged(rows: list[dict[str, str]]) -> None:
    text = convert(json.dumps(rows), "json", "csv")
    back = json.loads(convert(text, "csv", "json", dialects=Dialects(read="comma")))
    assert back == json.loads(convert(json.dumps(rows), "json", "json"))


def test_yaml_is_read_as_version_1_2() -> None:
    text = "a: no\nb: 012\nc: 1:30\nd: 0o17\ne: 2026-03-01\nf: 1_000\ng: ~\nh: .5\ni: !!str 5\n"
    assert json.loads(convert(text, "yaml", "json")) == {
        "a": "no", "b": 12, "c": "1:30", "d": 15, "e": "2026-03-01", "f": "1_000", "g": None, "h": 0.5, "i": "5",
    }  # fmt: skip


def test_csv_cells_stay_text_with_their_zeros_and_the_delimiter_is_found() -> None:
    assert json.loads(convert('zip;name\r\n01234;"a;b"\r\n', "csv", "json")) == [{"zip": "01234", "name": "a;b"}]
    assert convert("a,b\n1,2\n", "csv", "csv", dialects=Dialects(write="tab", header=False)) == "a\tb\r\n1\t2\r\n"


def test_a_row_of_another_length_and_a_name_that_stands_twice_are_told() -> None:
    told = losses("a,a\n1,2,3\n4\n", "csv", "json")
    assert "row 2 has more cells" in told and "row 3 has fewer cells" in told and "became 'a_2'" in told


def test_what_looks_like_a_formula_is_told() -> None:
    assert "formula" in losses('[{"a": "=HYPERLINK(1)"}]', "json", "csv")
    assert "formula" not in losses('[{"a": "-1.5"}]', "json", "csv")


def test_xml_becomes_objects_and_back() -> None:
    text = '<order id="7"><line>tea</line><line>milk &amp; sugar</line><note/></order>'
    tree = json.loads(convert(text, "xml", "json"))
    assert tree == {"order": {"@id": "7", "line": ["tea", "milk & sugar"], "note": None}}
    assert json.loads(convert(convert(json.dumps(tree), "json", "xml"), "xml", "json")) == tree


def test_between_markdown_and_html_the_whole_text_is_converted() -> None:
    html = convert(TABLE + "\n<b>raw</b> [x](javascript:alert(1))\n", "markdown", "html")
    assert "<h1>Prices</h1>" in html and "&lt;b&gt;raw" in html and "href" not in html
    page = (
        "<h2>T</h2><p>a <b>b</b> 1*2<ul><li>x<ul><li>y</ul></ul><ol start=3><li>c</ol><pre>i\n j</pre>"
        "<a href='https://e.example/a(b)'>l</a><a href='data:text/html,x'>m</a><script>evil()</script>"
        "<table><tr><th>k<th>v<tr><td>1|2<td>3</table>"
    )
    text = convert(page, "html", "markdown")
    assert text == (
        "## T\n\na **b** 1\\*2\n\n- x\n  - y\n\n3. c\n\n```\ni\n j\n```\n\n[l](https://e.example/a%28b%29)m\n\n"
        "| k | v |\n| --- | --- |\n| 1\\|2 | 3 |\n"
    )


def test_tables_become_data_and_other_text_is_told() -> None:
    assert json.loads(convert(TABLE, "markdown", "json")) == [{"item": "tea | black", "price": "1.10"}]
    assert "outside of tables" in losses(TABLE, "markdown", "json")
    page = "<table><tr><th>a<th>b<tr><td>1<td>x<br>y</table>"
    assert json.loads(convert(page, "html", "json")) == [{"a": "1", "b": "x y"}]
    assert "no table" in refuse("<p>x", "html", "json")


@pytest.mark.parametrize(
    ("content", "source", "target", "told"),
    [
        ('{"a": 1, "a": 2}', "json", "yaml", "'a' stands more than once"),
        ("a: .nan", "yaml", "json", "became null"),
        ("a: 1 # x", "yaml", "json", "comments"),
        ("a: &x [1]\nb: *x", "yaml", "json", "aliases were written out"),
        ("x = 1979-05-27", "toml", "json", "dates and times became text"),
        ('{"a": null}', "json", "toml", "TOML has no null"),
        ("[1]", "json", "toml", "under the key 'items'"),
        ('{"a": "\\u0001"}', "json", "xml", "control characters"),
        ('{"a b": 1, "c": 2}', "json", "xml", "not names of elements"),
        ('[{"a": [1]}]', "json", "csv", "JSON in one cell"),
        ("<a>x<b/>y</a>", "xml", "json", "its place among them"),
    ],
)
def test_what_is_lost_is_told(content: str, source: Format, target: Format, told: str) -> None:
    assert told in losses(content, source, target)


@pytest.mark.parametrize(
    "source",
    [
        *("![i](data:image/png;base64,iVBORw0KGgo=)", "[x](data:text/html,x)", "[x](javascript:alert(1))"),
        *("<data:image/png,x>", "![i](JaVaScRiPt:x)", "[q][r]\n\n[r]: vbscript:x", "[f](file:///etc/passwd)"),
        *("![b](blob:x)", "<ftp://e.example>"),
    ],
)
def test_a_link_or_picture_of_another_kind_stays_text_and_is_told(source: str) -> None:
    html = convert(source, "markdown", "html")
    assert "href" not in html and "src" not in html and "<img" not in html
    assert "kept as text" in losses(source, "markdown", "html")


@pytest.mark.parametrize("source", ["[a](https://e.example/x)", "![b](/p.png)", "[c](mailto:a@e.example)", "[d](#x:y)"])
def test_a_link_of_the_usual_kind_is_kept_without_a_loss(source: str) -> None:
    html = convert(source, "markdown", "html")
    assert "href" in html or "src" in html
    assert losses(source, "markdown", "html") == ""


HOSTILE_CELLS = (
    *("<b>x</b>", "<script>x</script>", "[x](https://e.example)", "![i](data:x)", "`a`|`b`", "**b** _i_ ~~s~~"),
    *("&lt;b&gt; & &#60;", "a\\|b", "snake_case_name", "<https://e.example>", "# h", "*", "a & b", "x < y > z"),
)


@pytest.mark.parametrize("cell", HOSTILE_CELLS)
def test_data_stays_data_in_a_markdown_table(cell: str) -> None:
    rows = [{"a": cell, "b": "1"}]
    table = convert(json.dumps(rows), "json", "markdown")
    assert json.loads(convert(table, "markdown", "json")) == rows
    html = convert(table, "markdown", "html")
    assert not set(re.findall(r"<(\w+)", html)) - {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("mark", ["\u0000", "\u0007", "\u001b"])
def test_control_characters_in_csv_are_told(mark: str) -> None:
    assert "control characters" in losses(json.dumps([{"a": f"x{mark}y"}]), "json", "csv")


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
WIDE = "a: &a '" + "x" * 50_000 + "'\nb: [" + ",".join(["*a"] * 1_000) + "]"


@pytest.mark.parametrize(
    ("content", "source", "told"),
    [
        ('!!python/object/apply:os.system ["id"]', "yaml", "makes an object"),
        ("!!binary aGk=", "yaml", "makes an object"),
        ("!Ref x", "yaml", "makes an object"),
        (BOMB, "yaml", "expands to more than"),
        (WIDE, "yaml", "expands to more than"),
        ("a: &a [*a]", "yaml", "within what it names"),
        ("? [a]\n: b", "yaml", "a key is a list"),
        ("[" * 50_000, "yaml", "levels deep"),
        ("- " * 50_000, "yaml", "levels deep"),
        ("[" * 100_000, "json", "levels deep"),
        ('{"a":' * 70 + "1" + "}" * 70, "json", "levels deep"),
        ("a = " + "[" * 50_000, "toml", "levels deep"),
        ("a" + ".a" * 90_000 + " = 1", "toml", "levels deep"),
        ("<a>" * 70 + "</a>" * 70, "xml", "levels deep"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "xml", "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "xml", "document type"),
        ("<a>&e;</a>", "xml", "not XML"),
        ("9" * 2_000, "json", "digits"),
        ("1E999999999", "json", "exponent"),
        ("a: 0x" + "f" * 2_000, "yaml", "digits"),
        ("NaN", "json", "not JSON"),
        ('{"a":', "json", "line 1, column 6"),
        ("a: [", "yaml", "not YAML"),
        ("a =", "toml", "not TOML"),
        ('a,b\n"x', "csv", "not CSV"),
        ("x" * 200_001, "csv", "characters"),
        ("<a " * 60_000, "html", "no end"),
        ("![[" * 60_000, "markdown", "brackets"),
        ("<blockquote>" * 10_000, "html", "no table"),
    ],
)
def test_what_could_do_harm_is_refused_soon(content: str, source: Format, told: str) -> None:
    assert told in refuse(content, source, "json")


def test_html_nested_too_deeply_is_refused() -> None:
    assert "levels deep" in refuse("<blockquote>" * 10_000, "html", "markdown")


@pytest.mark.parametrize("content", ["<" * 1_000, "<!--" * 50_000, "&" * 200_000, "<p>" * 60_000, "x<y & z>\x00"])
def test_broken_html_is_text(content: str) -> None:
    assert convert(content, "html", "markdown").endswith("\n")


def test_a_table_that_would_explode_is_refused() -> None:
    rows = json.dumps([{f"k{number}": 1} for number in range(1_000)])
    assert "too large" in refuse(rows, "json", "csv")


def test_bytes_are_read_in_their_charset() -> None:
    dialects = Dialects(header=False)
    assert convert("4w==", "csv", "csv", charset="windows-1252", dialects=dialects) == "ã\r\n"
    assert "no row" in losses("a,b\n", "csv", "json")
    assert convert("/v8AewB9", "json", "json", charset="utf-8") == "{}"  # a byte order mark counts more
    assert "not utf-8" in refuse("4w==", "csv", "json", charset="utf-8")
    assert "no charset" in refuse("4w==", "csv", "json", charset="unicode_escape")
    assert "base64" in refuse("a,b", "csv", "json", charset="utf-8")


def test_half_a_character_is_replaced() -> None:
    assert convert('{"a": "\\ud83d"}', "json", "toml") == 'a = "\ufffd"\n'


@pytest.mark.parametrize("cell", ["=1", " =1", "\u00a0+cmd", "\uff1d1", "@x", "\t=1", "-1+1", "-\u0661"])
def test_what_a_spreadsheet_may_run_is_told_in_cells_and_in_the_header(cell: str) -> None:
    for rows in ([{"a": cell}], [{cell: "a"}]):
        assert any("1 cells begin like a formula" in one for one in convert_text(json.dumps(rows), "json", "csv")[1])
    assert "formula" not in str(convert_text('[{"a": "-1.5"}, {"a": "+2"}, {"a": " -3"}]', "json", "csv")[1])


def test_a_cell_above_the_limit_of_the_reader_is_told_as_such() -> None:
    with pytest.raises(InvalidInput, match="a cell that ends in line 2 has more than 131,072 characters"):
        convert_text('a\n"' + "x" * 131_073 + '"\n', "csv", "json", dialects=Dialects(read="comma"))
