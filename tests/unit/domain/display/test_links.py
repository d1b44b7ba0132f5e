"""Links and images of an answer: what leads elsewhere stays readable and leads nowhere."""

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from pentad.domain.display.links import defuse_links, find_host, is_allowed

ALLOWED = ("acme.eu", "*.acme.eu", "strasse.eu", "xn--mxa0b.eu")
LONG = "q=" + "c2VjcmV0" * 8


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("See ![chart](https://evil.example/a.png?d=1).", "See [chart](blocked: evil.example)."),
        ("[report](https://evil.example/x)", "[report](blocked: evil.example)"),
        ("[report](<https://evil.example/a b> 'title')", "[report](blocked: evil.example)"),
        ('[r](https://evil.example/x "t(i)tle")', '[r](blocked: evil.example)(i)tle")'),
        ("[r](\n  https://evil.example/x)", "[r](blocked: evil.example)"),
        ("[r](//evil.example/x)", "[r](blocked: evil.example)"),
        ("[r](HTTPS://EVIL.example:8443/x)", "[r](blocked: evil.example)"),
        ("[r](https://acme.eu@evil.example/)", "[r](blocked: evil.example)"),
        ("[r](https:\\\\evil.example/x)", "[r](blocked: evil.example)"),
        ("[r](https:evil.example/x)", "[r](blocked: evil.example)"),
        ("[r](&#104;ttps://evil.example/x)", "[r](blocked: evil.example)"),
        ("[r](ht\u200btps://evil.example/x)", "[r](blocked: evil.example)"),
        ("[r](https://acme.eu.evil.example/)", "[r](blocked: acme.eu.evil.example)"),
        ("[r](https://evilacme.eu/)", "[r](blocked: evilacme.eu)"),
        ("[r](https://\u0430cme.eu/)", "[r](blocked: xn--cme-5cd.eu)"),
        ("[r](https://evil.example./)", "[r](blocked: evil.example)"),
        ("[r](https://evil\u3002example/)", "[r](blocked: evil.example)"),
        ("[r](http://[2001:db8::1]/x)", "[r](blocked: [2001:db8::1])"),
        ("[r](http://2130706433/)", "[r](blocked: 2130706433)"),
        ("[r](javascript:alert(1))", "[r](blocked: javascript)"),
        ("![x](data:image/svg+xml;base64,AAAA)", "[x](blocked: data)"),
        ("[mail](mailto:a@evil.example?body=secret)", "[mail](blocked: evil.example)"),
        (
            "[![alt](https://evil.example/i)](https://evil.example/l)",
            "[[alt](blocked: evil.example)](blocked: evil.example)",
        ),
        ("[r](https://evil.example/a(b)c)", "[r](blocked: evil.example)"),
        ("![unclosed](https://evil.example/x", "[unclosed](blocked: evil.example)"),
        ("[r][1]\n\n[1]: https://evil.example/x 'title'", "[r][1]\n\n[1] (blocked: evil.example)"),
        ("[r][1]\n> [1]:\n> https://evil.example/", None),
        ("[1]: <https://evil.example/x>", "[1] (blocked: evil.example)"),
        ("<https://evil.example/x>", "(blocked: evil.example)"),
        ("<https://evil.example/x|the report>", "the report (blocked: evil.example)"),
        ('<img src="https://evil.example/x">', '&lt;img src="hxxps://evil(.)example/x">'),
        ("<IMG\nSRC=//evil.example/x", "&lt;IMG\nSRC=//evil(.)example/x"),
        ('<a href="https://evil.example">x</a>', '&lt;a href="hxxps://evil(.)example">x</a>'),
        (
            "<div style='background:url(https://evil.example/x)'>",
            "&lt;div style='background:url(hxxps://evil(.)example/x)'>",
        ),
        ('<img src="&#104;ttps://evil.example/x">', '&lt;img src="&#104;ttps://evil.example/x">'),
        ('<img src="/\\evil.example/x">', '&lt;img src="/\\evil.example/x">'),
        ("<a href=javascript:alert(1)>x</a>", "&lt;a href=javascript:alert(1)>x</a>"),
        ("<svg/onload=alert(1)>", "&lt;svg/onload=alert(1)>"),
        ("<script>fetch(1)</script>", "&lt;script>fetch(1)&lt;/script>"),
        ("<style>@import 'x'", "&lt;style>@import 'x'"),
        ("[r](https&colon;//evil.example/x)", "[r](blocked: evil.example)"),
        ("[r](/\\evil.example/x)", "[r](blocked: evil.example)"),
        ("[r](https://evil.example#@acme.eu/)", "[r](blocked: evil.example)"),
        ("[r](https://acme.eu:443@evil.example/)", "[r](blocked: evil.example)"),
        ("<svg><image href='x'/></svg>", "<svg>&lt;image href='x'/></svg>"),
        (f"Open https://evil.example/?{LONG}.", f"Open hxxps://evil(.)example/?{LONG}."),
        (f"Open https://evil.example/#{LONG}", f"Open hxxps://evil(.)example/#{LONG}"),
        (f"Open https://evil.example/{'a' * 130} now", f"Open hxxps://evil(.)example/{'a' * 130} now"),
        (f"Open https://{'a' * 45}.evil.example/", f"Open hxxps://{'a' * 45}(.)evil(.)example/"),
        (f"Open www.evil.example/?{LONG}", f"Open www(.)evil(.)example/?{LONG}"),
        ("Open https://user:c2VjcmV0@evil.example/", "Open hxxps://user:c2VjcmV0@evil(.)example/"),
        ("Open https://evil.example/SECRET, please", "Open hxxps://evil(.)example/SECRET, please"),
        ("Open HTTP://EVIL.example/?d=SECRET!", "Open HxxP://EVIL(.)example/?d=SECRET!"),
        ("Open ftp://evil.example/SECRET", "Open fxp://evil(.)example/SECRET"),
        ("Open wss://evil.example/SECRET", "Open wxs://evil(.)example/SECRET"),
        ("Open http:\\\\evil.example\\SECRET", "Open hxxp:\\\\evil(.)example\\SECRET"),
        ("Open http://[2001:db8::1]/SECRET", "Open hxxp://[2001:db8::1]/SECRET"),
        ("Open https://evil\u3002example/SECRET", "Open hxxps://evil(.)example/SECRET"),
        ("image::https://evil.example/SECRET.png[]", "image::hxxps://evil(.)example/SECRET.png[]"),
        ("$\\href{https://evil.example/SECRET}{x}$", "$\\href{hxxps://evil(.)example/SECRET}{x}$"),
        ("!https://evil.example/SECRET.png!", "!hxxps://evil(.)example/SECRET.png!"),
        ("(https://evil.example/wiki/A_(b))", "(hxxps://evil(.)example/wiki/A_(b))"),
        ("https://acme.eu/(https://evil.example/x", "https://acme.eu/(hxxps://evil(.)example/x"),
        ("https://acme.eu/**https://evil.example/x**", "https://acme.eu/**hxxps://evil(.)example/x**"),
        ("https://evil.example/https://bad.example/x", "hxxps://evil(.)example/hxxps://bad(.)example/x"),
        ("[r](https://stra\u00dfe.eu/)", "[r](blocked: xn--strae-oqa.eu)"),
        ("[r](https://\u03b1\u03c2.eu/)", "[r](blocked: xn--mxa8a.eu)"),
        ("[r](https://ac\u200dme.eu/)", "[r](blocked: unknown)"),
        ("[r](https://ac\u200cme.eu/)", "[r](blocked: unknown)"),
    ],
)
def test_what_leads_elsewhere_is_named_and_leads_nowhere(text: str, becomes: str | None) -> None:
    found = defuse_links(text, allowed=ALLOWED)
    assert found.text == (becomes if becomes is not None else found.text)
    assert found.hosts or "&lt;" in found.text
    assert defuse_links(found.text, allowed=ALLOWED).text == found.text


@pytest.mark.parametrize(
    "text",
    [
        "No links here, but a < b and List<String> and x[1](2).",
        "[a](https://acme.eu/x) ![b](https://img.acme.eu/b.png?size=12) <https://acme.eu>",
        "[a](#heading) [b](/docs/page) [c](page.md) [d](mailto:bob@acme.eu) [e](tel:+49123)",
        "[1]: https://acme.eu/x",
        '<img src="https://img.acme.eu/b.png"> <b>bold</b> <br/> <details><summary>s</summary></details>',
        "def f(x: List[int]) -> Dict<str>: return x[0](1)  # a <= b, c // d",
        "See https://acme.eu/docs?page=2 for more, or www.acme.eu, or ftp://img.acme.eu/x.",
        "A link begins with https:// or http://, and www. is often left out; `https://`.",
        "https://m\u00fcnchen.acme.eu/x and https://acme.eu/redirect?to=https://elsewhere.example",
        "Version 1.2.3 of example.com, a@b.example, //comment, C:/www/x, node.js, 10.0.0.1:80",
        f"https://acme.eu/?{LONG}",
        "Values: [cite:k7f2qa], [x]: y is odd, a[0](b)",
        "",
    ],
)
def test_what_stays_at_home_or_is_no_address_stays(text: str) -> None:
    found = defuse_links(text, allowed=["acme.eu", "*.acme.eu"])
    assert (found.text, found.hosts) == (text, ())


@pytest.mark.parametrize(
    "text",
    [
        r"![a](http\://evil.example/?d=1)",
        r"![a](https\:\/\/evil.example/?d=1)",
        r"![a](https://acme.eu\@evil.example/)",
        r"![a](https://acme.eu\.evil.example/)",
        r"![a](https\://evil.example\\.acme.eu/)",
        "![a](https://acme.eu&bsol;.evil.example/)",
        r"![a](&#104;ttp\://evil.example/)",
        "![a](" + " " * 300 + "https://evil.example/)",
        "> ![a](\n> https://evil.example/)",
        "]( ![a](https://evil.example/)",
        "](#b ![a](https://evil.example/)",
        "![b\\]c]\n\n[b\\]c]: https://evil.example/",
        "![b\nc]\n\n[b\nc]: https://evil.example/",
        "![a]\n\n[a]:" + " " * 25 + "https://evil.example/",
        "![a]\n\n[a]: https\\://evil.example/",
        "![a]\n\n[a]: https://acme.eu]:@evil.example/",
        "See [b]:\n\n[a]: https://evil.example/\n\n![a]",
        "[b\\]:\nc]: https://evil.example/\n\n![b\\]:\nc]",
        '<img alt=">" src="https://evil.example/x">',
        '<img alt="<" src="https://evil.example/x">',
        "<img <img src=//evil.example/x>",
        '<img src            ="/\\evil.example/x">',
        '<img alt="https://acme.eu/" src="/&#9;/evil.example/x">',
        '<img alt="https://acme.eu/" src="https:evil.example/x">',
        '<img src="//acme.eu/" srcset="/\n/evil.example/x">',
    ],
)
def test_what_a_renderer_would_load_is_read_as_the_renderer_reads_it(text: str) -> None:
    renderer = MarkdownIt("commonmark")
    assert list_loaded(renderer.render(text)), "it is an attack: the renderer would load something"
    found = defuse_links(text, allowed=["acme.eu", "*.acme.eu"])
    assert list_loaded(renderer.render(found.text)) == []


NAMES = (
    "evil.com/page?q=secret",
    "evil.example/p",
    "EVIL.COM/x",
    "evil.com?secret",
    "evil.com#k=secret",
    "evil.com:8080/x",
    "evil.com/(secret)",
    "evil.com/[secret]",
    "evil.com/%73ecret",
    "evil.com\\x",
    "sub.c2VjcmV0.evil.co.uk/x.",
    "c2VjcmV0ZGF0YWFhYWFhYQ.evil.com",
    "a.b.c.d.e.f.com",
    "m\u00fcnchen.de/x",
    "\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/x",
    "xn--e1afmkfd.xn--p1ai/x",
    "evil\u3002com/x",
    "evil\uff0ecom/x",
    "//evil.com/x",
    "(evil.com/x)",
    "**evil.com/x**",
    "_evil.com/x_",
    "<evil.com/x>",
    "'evil.com/x'",
    "see:evil.com/x",
    "q=evil.com/x",
    "go?to=evil.com/x",
    "[r](evil.com/page)",
    "[r]: evil.com/page",
    "[evil.com/x](#here)",
    "| evil.com/x | y |",
    "- evil.com/x",
    "> evil.com/x",
    "1. evil.com/x",
    "evil.com/x\nnext",
    "https://acme.eu/ evil.com/x",
    "https://evil.com/x and evil.com/z",
    "`code` evil.com/x `code`",
    "```\ncode\n```\nevil.com/x",
    "evil.zip/x",
    "xn--vermgensberatung-pwb/x evil.ai/x",
)


@pytest.mark.parametrize("text", NAMES)
def test_a_name_that_may_carry_something_is_no_link(text: str) -> None:
    found = defuse_links(text, allowed=ALLOWED)
    assert found.hosts and "(.)" in found.text
    assert defuse_links(found.text, allowed=ALLOWED).text == found.text


@pytest.mark.parametrize(
    "text",
    [
        "acme.eu/docs?x=1, img.acme.eu/x and https://acme.eu/r?to=evil.com/x",
        "evil.com, docs.python.org, evil.com/ and evil.com.",
        "README.md#usage, src/main.py/x, os.path/join, response.data?.items, node.js/express",
        "and/or, e.g./i.e., v1.2/3, 10.0.0.1/x, a@b.com/x, image.png/x",
        "`self.id/2` and\n```python\nself.id/2 + np.pi/x.to/y\n```\n",
    ],
)
def test_a_name_that_carries_nothing_and_code_stay(text: str) -> None:
    assert defuse_links(text, allowed=ALLOWED).text == text


@pytest.mark.parametrize(
    ("asked", "said", "stays"),
    [
        ("see evil.com/page", "evil.com/page", True),
        ("see evil.com/page?x=1.", "evil.com/page", True),
        ("see (evil.com/page)", "(evil.com/page)", True),
        ("see evil.com/page", "evil.com/page2", False),
        ("see evil.com/", "evil.com/(secret)", False),
        ("see bevil.com/page", "evil.com/page", False),
        ("see evil.com.au/page", "evil.com/page", False),
        ("see https://evil.com/page", "evil.com/page", True),
        ("see https://evil.com/page", "evil.co/page", False),
    ],
)
def test_a_name_that_the_user_wrote_stays(asked: str, said: str, stays: bool) -> None:
    assert (defuse_links(said, own_words=[asked]).text == said) is stays


def list_loaded(page: str) -> list[str]:
    """Return the addresses that a page loads images from, as an HTML parser finds them."""
    loaded: list[str] = []

    class Images(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            loaded.extend(value or "" for name, value in attrs if name in ("src", "srcset"))

    Images().feed(page)
    return loaded


def test_an_address_that_the_user_wrote_stays() -> None:
    asked = f"Is https://shop.example/?{LONG} safe?"
    text = f"Yes: [it](https://shop.example/?{LONG}) is. But not ![this](https://shop.example/?other)."
    found = defuse_links(text, own_words=[asked])
    assert f"[it](https://shop.example/?{LONG})" in found.text
    assert "[this](blocked: shop.example)" in found.text


@pytest.mark.parametrize(
    ("asked", "address", "stays"),
    [
        ("see https://bank.com/accounts", "https://bank.co", False),
        ("see https://bank.com/accounts", "https://bank.com", True),
        ("see https://bank.com/accounts", "https://bank.com/acc", True),
        ("see https://bank.com.", "https://bank.com", True),
        ("see (https://bank.com), please", "https://bank.com", True),
        ("see https://bank.com, or https://bank.co!", "https://bank.co", True),
        ("see https://bank.com@evil.example/", "https://bank.com", False),
        ("see " + "https://bank.com " * 200, "https://bank.co", False),
    ],
)
def test_what_is_only_the_start_of_an_address_was_not_given(asked: str, address: str, stays: bool) -> None:
    text = f"![a]({address})"
    assert (defuse_links(text, own_words=[asked]).text == text) is stays


def test_each_host_is_told_once_and_shows_nothing_that_is_not_plain() -> None:
    found = defuse_links("[a](https://evil.example/1) [b](https://evil.example/2) [c](https://ev\u202eil`.example/)")
    assert found.hosts == ("evil.example", "evil?.example")


@pytest.mark.parametrize(
    "piece",
    [
        "](",
        "![",
        "<a ",
        "[a](<",
        "[x]:",
        "https://",
        "[[[[",
        "((((",
        "<!--",
        "\\",
        "www.",
        "a.",
        "a.com",
        "x.io/`",
        "```",
    ],
)
def test_hostile_repetition_ends(piece: str) -> None:
    text = piece * 20_000
    assert len(defuse_links(text).text) < 20 * len(text)


def test_hosts_are_those_that_a_browser_asks() -> None:
    assert find_host("page.md") is None
    assert find_host("///evil.example/x") == "evil.example"
    assert is_allowed("a.acme.eu", ["*.acme.eu"])
    assert not is_allowed("acme.eu", ["*.acme.eu"])
    assert not is_allowed("xacme.eu", ["*.acme.eu"])
