"""Words stand in the elements in which browsers put them, where end tags are left out, doubled or out of order.

What is expected is what the tree builder of html5lib, which follows the HTML standard, makes of the same page.
"""

import pytest

from pentad.memory.documents.formats.web.html import parse_html
from pentad.memory.documents.formats.web.html_open import OpenElements

START = "<!doctype html><body>"


def read(page: str) -> str:
    return " ".join(parse_html(START + page).text.replace("|", " ").split())


@pytest.mark.parametrize(
    "page",
    [
        "<div hidden><style>div</style>HIDDEN</div>",
        "<ul><li hidden>x<ul><li>HIDDEN</li></ul></li></ul>",
        "<table><tr><td hidden>x<table><tr><td>HIDDEN</td></tr></table></td></tr></table>",
        "<table><tr hidden><td><table><tr><td>HIDDEN</td></tr></table></td></tr></table>",
        "<dl><dd hidden>x<dl><dd>HIDDEN</dd></dl></dd></dl>",
        "<p hidden><button><div>HIDDEN</div></button></p>",
        "<span hidden><div>x</span>HIDDEN</div></span>",
        "<ul><li><div>a</li></ul><section hidden>x</div>HIDDEN</section>",
        "<p>a<div hidden>x</p>HIDDEN</div>",
        "<p><b hidden>x</p><p>HIDDEN</p></b>",
        "<div><b hidden>x</div>HIDDEN</b>",
        "<h2 hidden><p><b hidden>x <h3>HIDDEN",
        "<b hidden><h2 hidden></b>HIDDEN",
        "<table hidden><tr><td>x</td><option></option><td>HIDDEN",
        "<form hidden><div></form>HIDDEN</div>",
        "<details hidden>a<option>b<blockquote>HIDDEN",
        "<noscript><div>HIDDEN</noscript>",
        "<iframe><p hidden>HIDDEN</iframe>",
    ],
)
def test_what_is_within_a_hidden_element_is_left_out(page: str) -> None:
    assert "HIDDEN" not in read(f"{page}")


@pytest.mark.parametrize(
    "page",
    [
        "<ul><li hidden>x</ul><p>SEEN",
        "<ul><li hidden>x<li>SEEN</ul>",
        "<table><td hidden>x</table><p>SEEN",
        "<table><tr hidden><td>x<tr><td>SEEN</table>",
        "<select><option hidden>x</select><p>SEEN",
        "<div><p hidden>x</div>SEEN",
        "<div><span hidden>x</div><p>SEEN",
        "<p><span hidden>x</p><p>SEEN",
        "<dl><dt hidden>x<dd>SEEN</dl>",
        "<a hidden>x<a>SEEN</a>",
        "<button hidden>x<button>SEEN</button>",
        "<ruby>a<rp>(<rt>SEEN<rp>)</ruby>",
        "<b hidden>x<div></b>SEEN</div>",
        "<form hidden><div></form>x</div>SEEN",
        "<svg hidden><text>x</text><p>SEEN</svg>",
        "<td hidden>SEEN",
        "<table hidden>SEEN<tr><td>x</table>",
        "<noscript><div>x</noscript>SEEN</div>",
        "<iframe><p hidden></iframe>SEEN",
    ],
)
def test_what_is_behind_a_hidden_element_is_read(page: str) -> None:
    assert "SEEN" in read(page)
    assert "x" not in read(page).replace("SEEN", "")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ('<div role="main"><header><h1>Title</h1></header><p>Body</div><footer>Foot</footer>', "Title Body"),
        ("<div ROLE=main><footer>Mine</footer></div><footer>Foot</footer>", "Mine"),
        ("<!-- <main> --><header>Head</header><p>Body<footer>Foot</footer>", "Head Body Foot"),
        ("<main><footer>Mine</footer></main><footer>Foot</footer>", "Mine"),
    ],
)
def test_what_a_page_is_about_is_told_by_its_elements_and_roles(page: str, text: str) -> None:
    assert read(page) == text


def test_an_element_too_far_off_is_looked_for_once() -> None:
    elements = OpenElements()
    elements.push("p")
    for _ in range(2_000):
        elements.push("i")
    assert elements.count("p") == 1
    assert elements.end("p") is None
    assert elements.count("p") == 0  # from here on an end tag takes no time
    assert elements.end("i") is not None
