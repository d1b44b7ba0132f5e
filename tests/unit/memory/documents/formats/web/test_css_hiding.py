"""What a style hides, and what only looks as if it did."""

from collections.abc import Mapping

import pytest

from pentad.memory.documents.formats.web import css_hiding
from pentad.memory.documents.formats.web.html import parse_html

SHEET = "<!doctype html><style>.a{STYLE}</style><p class=a>Words</p>"
INLINE = '<!doctype html><p style="STYLE">Words</p>'


def is_read(page: str) -> bool:
    return "Words" in parse_html(page).text


@pytest.mark.parametrize(
    "style",
    [
        "position:absolute;top:50%;left:50%;transform:translate(-50%,-50%)",
        "transform:translate3d(-50%,-50%,0)",
        "position:relative;top:50%;transform:translateY(-50%)",
        "translate:-50% -50%",
        "position:absolute;left:calc(50% - 200px)",
        "position:absolute;left:calc(100% - 4rem)",
        "margin:0 -9999rem;padding:.25rem 9999rem",
        "margin:0 -50vw;padding:0 50vw",
        "font-size:1.2",
        "font-size:0.5",
        "clip-path:inset(0 50% 0 0)",
        "clip-path:inset(10% round 4px)",
        "position:absolute;top:0;left:50%;transform:translateX(-50%)",
        "bottom:100%;position:absolute;transform:translateY(-100%)",
    ],
)
def test_what_is_only_placed_or_cut_is_read(style: str) -> None:
    for page in (SHEET, INLINE):
        assert is_read(page.replace("STYLE", style)), style


@pytest.mark.parametrize(
    "style",
    [
        "d\\isplay:none",
        "display:n\\one",
        "position:absolute;left:calc(0px - 9999px)",
        "position:absolute;left:calc(-1 * 9999px)",
        "transform:translateX(-300%)",
        "transform:translate(-9999px,-50%)",
        "position:fixed;left:0;top:0;transform:translateX(-100%)",
        "position:fixed;left:0;top:0;transform:translate(0,-110%)",
        "margin-left:-9999px;padding-right:9999px",
        "margin:0 0 0 -9999px",
        "margin:0 -9999px 0",
        "font-size:0",
        "font-size:1px",
        "clip-path:inset(50%)",
        "clip-path:inset(0 60% 0 40%)",
    ],
)
def test_what_is_hidden_is_left_out(style: str) -> None:
    for page in (SHEET, INLINE):
        assert not is_read(page.replace("STYLE", style)), style


def test_lengths_need_a_unit_where_the_page_has_a_document_type() -> None:
    hiding = '<p style="font-size:1">Words</p>'
    strict = (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
    )
    for head in ("<!doctype html>", "\n<!-- made by hand -->\n<!DOCTYPE HTML>", strict):
        assert is_read(head + hiding), head
    for head in ("", '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">', "<html>"):
        assert not is_read(head + hiding), head


def test_letters_that_are_small_around_are_read_where_they_have_a_size_of_their_own() -> None:
    def read(inner: str) -> bool:
        return is_read(f'<!doctype html><div style="font-size:0">{inner}</div>')

    assert read('<p style="font-size:16px">Words</p>')
    assert read('<p style="font-size:1rem">Words</p>')
    assert not read("<p>Words</p>")
    assert not read('<p style="font-size:1em">Words</p>')
    assert not read('<p style="visibility:hidden"><b style="visibility:visible">Words</b></p>')
    assert not read('<p style="visibility:hidden"><b style="font-size:12px">Words</b></p>')


@pytest.mark.parametrize("escape", ["\\d800 ", "\\0 ", "\\110000 ", "\\dfff "])
def test_an_escape_that_is_no_character_is_told_as_one_that_can_be_written(escape: str) -> None:
    parsed = parse_html(f"<!doctype html><style>.a{escape} b{{display:none}}</style><p>Words</p>")
    assert parsed.text == "Words"
    assert "\ufffd" in parsed.notes[0]
    parsed.notes[0].encode()


def test_a_rule_is_judged_once_for_all_of_its_selectors(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[object] = []

    def count(declared: Mapping[str, str]) -> bool:
        judged.append(declared)
        return css_hiding.hides(declared)

    monkeypatch.setattr("pentad.memory.documents.formats.web.html_styles.hides", count)
    selectors = ",".join(f"a b{number}" for number in range(40))
    parse_html(f"<!doctype html><style>{f'{selectors}{{color:red}}' * 30}</style><p>Words</p>")
    assert len(judged) == 30


def test_rules_of_a_key_beyond_the_bound_are_a_doubt() -> None:
    rules = "".join(f".a.b{number}{{display:block}}" for number in range(150))
    parsed = parse_html(f"<!doctype html><style>.a{{color:red}}{rules}</style><p class=a>Words</p>")
    assert parsed.text == "Words"
    assert any("rules after the first 100 for .a" in note for note in parsed.notes)


@pytest.mark.parametrize(
    "style",
    [
        "left:-9999px",
        "position:static;left:-9999px;top:-5000px",
        "position:sticky;top:-999px",
        "inset:-9999px auto auto -9999px",
        "clip:rect(0,0,0,0)",
        "position:relative;clip:rect(0 0 0 0)",
        "height:0;overflow:hidden;padding-bottom:56.25%",
        "height:1px;min-height:20rem;overflow:auto",
        "position:fixed;left:100%;transform:translateX(-100%)",
        "position:fixed;top:100vh;margin-top:-4rem",
        "position:absolute;top:100%",
        "font-size:clamp(1rem,2vw,2rem)",
        "font-size:max(12px,1vw)",
        "opacity:calc(.5 + .5)",
        "opacity:var(--unknown)",
        "color:transparent;background:linear-gradient(red,blue);background-clip:text",
    ],
)
def test_what_browsers_show_in_its_place_is_read(style: str) -> None:
    for page in (SHEET, INLINE):
        assert is_read(page.replace("STYLE", style)), style


@pytest.mark.parametrize(
    "style",
    [
        "position:absolute;left:-9999px",
        "position:relative;inset:-9999px auto auto -9999px",
        "position:fixed;clip:rect(0 0 0 0)",
        "height:0;overflow:auto",
        "width:0;height:0;overflow:scroll",
        "height:calc(0px);overflow:hidden",
        "height:0;overflow:hidden;padding-bottom:1px",
        "max-height:0;overflow:hidden;min-height:1px",
        "position:fixed;left:100vw",
        "position:fixed;bottom:100%",
        "font-size:min(0px,1rem)",
        "font-size:calc(0px)",
        "font-size:clamp(0px,0px,1px)",
        "opacity:calc(0)",
        "opacity:min(0,1)",
        "opacity:calc(1*0)",
        "zoom:.001",
        "-webkit-text-fill-color:transparent;color:black",
        "color:transparent;background-clip:text",
    ],
)
def test_what_browsers_do_not_show_is_left_out_with_a_note(style: str) -> None:
    for page in (SHEET, INLINE):
        found = parse_html(page.replace("STYLE", style) + "<p>Two seen</p>")
        assert (found.text, found.notes) == ("Two seen", ("hidden text was left out: 1 words",)), style


def test_what_a_rule_that_is_not_followed_may_place_is_hidden() -> None:
    page = (
        "<!doctype html><style>div .a{position:absolute}</style><p>Two seen</p><div><p class=a style='left:-9999px'>W"
    )
    found = parse_html(page)
    assert (found.text, found.notes) == ("Two seen", ("hidden text was left out: 1 words",))


@pytest.mark.parametrize(
    ("around", "within", "shown"),
    [
        ("color:transparent", "color:#000", True),
        ("color:transparent", "color:inherit", False),
        ("color:transparent", "color:currentcolor", False),
        ("color:transparent", "color:rgb(0 0 0 / 0)", False),
        ("color:transparent;visibility:hidden", "color:#000", False),
        ("color:transparent", "color:#000;visibility:hidden", False),
        ("-webkit-text-fill-color:transparent", "color:#000", False),
        ("visibility:hidden", "visibility:initial", True),
        ("visibility:hidden", "visibility:unset", False),
        ("opacity:0", "opacity:1", False),
    ],
)
def test_what_an_element_undoes_of_what_is_around_it(around: str, within: str, shown: bool) -> None:
    found = parse_html(f'<!doctype html><p>Two seen</p><div style="{around}">Lost<p style="{within}">Words</div>')
    assert ("Words" in found.text) is shown
    assert "Lost" not in found.text
    assert found.notes == (f"hidden text was left out: {1 if shown else 2} words",)


def test_until_found_hides_whatever_its_display_is() -> None:
    found = parse_html("<!doctype html><p>Two seen</p><div hidden=until-found style='display:block'>Words</div>")
    assert (found.text, found.notes) == ("Two seen", ("hidden text was left out: 1 words",))


def test_a_cell_that_shortens_its_words_is_read() -> None:
    style = "max-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
    assert is_read(f"<!doctype html><table><tr><td style='{style}'>Words<td>b</table>")
    assert not is_read(f"<!doctype html><div style='{style}'>Words</div>")
    assert not is_read(f"<!doctype html><table><tr><td style='display:block;{style}'>Words<td>b</table>")
