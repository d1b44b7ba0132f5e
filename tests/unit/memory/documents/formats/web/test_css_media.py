"""Which conditions of a style sheet hold on a desktop, and what a rule that is not sure to hold hides."""

import pytest

from pentad.memory.documents.formats.web.css_media import holds_for_screen, is_supported
from pentad.memory.documents.formats.web.html import parse_html


@pytest.mark.parametrize(
    "query",
    [
        "",
        "screen",
        "all and (min-width: 768px)",
        "(width >= 48rem)",
        "(400px <= width)",
        "(400px <= width < 2000px)",
        "(hover: hover) and (pointer: fine)",
        "(hover)",
        "not print",
        "not (max-width: 600px)",
        "not all and (max-width: 600px)",
        "(max-width: 300px) or (min-width: 600px)",
        "print, screen and (orientation: landscape)",
        "((min-width: 600px) and (not (hover: none)))",
        "(min-aspect-ratio: 16/11)",
        "(scripting: enabled)",
        "(some-new-feature: yes)",
        "not (some-new-feature: yes)",
        "(min-width: calc(10px * 2))",
    ],
)
def test_a_query_that_holds_for_a_desktop(query: str) -> None:
    assert holds_for_screen(query)


@pytest.mark.parametrize(
    "query",
    [
        "print",
        "only print and (min-width: 1px)",
        "speech",
        "not screen",
        "not all",
        "(max-width: 600px)",
        "(width < 48rem)",
        "(48rem > width)",
        "(400px <= width <= 700px)",
        "(hover: none)",
        "(pointer: coarse)",
        "(scripting: none)",
        "(forced-colors: active)",
        "(forced-colors)",
        "(prefers-contrast: more)",
        "(prefers-reduced-motion)",
        "(display-mode: standalone)",
        "(max-aspect-ratio: 1/1)",
        "(min-resolution: 2dppx), (-webkit-min-device-pixel-ratio: 2), (min-resolution: 192dpi)",
        "screen and (min-width: 100px) and (max-width: 200px)",
        "not all and (min-width: 600px)",
    ],
)
def test_a_query_that_does_not(query: str) -> None:
    assert not holds_for_screen(query)


def test_what_browsers_support_is_known_of_common_declarations_only() -> None:
    assert is_supported("(display: grid)") and is_supported("(display:flex) and (not (unheard: of))")
    assert not is_supported("not (display: grid)")
    assert not is_supported("not ((--css: variables) or (unheard: of))")
    assert is_supported("(unheard: of)") and is_supported("not (unheard: of)")
    assert is_supported("selector(:has(a))") and is_supported("not selector(:has(a))")


@pytest.mark.parametrize(
    "sheet",
    [
        r".hidden{display:none}@media (width>=48rem){.md\:flex{display:flex}}",
        r".hidden{display:none}@media (min-width:768px){.md\3a flex{display:flex}}",
        ".hidden{display:none}@supports not (unheard:of){.hidden{display:block}}",
        ".hidden{display:none}@supports (display:grid){.hidden{display:grid}}",
        "@supports not (display:grid){.hidden{display:none}}",
        "@starting-style{.hidden{opacity:0}}",
        "@media (hover:none){.hidden{display:none}}",
        r".hidden{content:';display:none;';x:\;display\;none}",
        ".hidden{content:'}.hidden{display:none'}",
    ],
)
def test_a_rule_that_does_not_hold_hides_nothing(sheet: str) -> None:
    found = parse_html(f'<!doctype html><style>{sheet}</style><p class="hidden md:flex">Words</p>')
    assert (found.text, found.notes) == ("Words", ())


@pytest.mark.parametrize("group", ["@container (max-width:200px)", "@scope (.card)"])
def test_a_rule_for_some_places_of_a_page_is_a_doubt(group: str) -> None:
    found = parse_html(f"<!doctype html><style>{group}{{.a{{display:none}}}}</style><p class=a>Words</p>")
    assert found.text == "Words"
    assert found.notes == ("text was read that these rules of its style sheets may hide: '.a'",)


@pytest.mark.parametrize(
    ("sheet", "name"),
    [
        (r".md\:hidden{display:none}", "md:hidden"),
        (r".h-\[0\]{height:0;overflow:hidden}", "h-[0]"),
        (r".w-1\/2,.a\,b{display:none}", "a,b"),
        (r".md\3a hidden{display:none}", "md:hidden"),
        (".x::before{content:'/*'}.a{display:none}", "a"),
        ('.x::before{content:"\\"/*"}.a{display:none}', "a"),
        (".x{background:url(//cdn/*.png)}.a{display:none}", "a"),
        (r".a{x:\7d;display:none}", "a"),
        ("@media (max-width:300px) or (min-width:600px){.a{display:none}}", "a"),
    ],
)
def test_a_rule_with_escapes_and_strings_hides_as_in_browsers(sheet: str, name: str) -> None:
    found = parse_html(f'<!doctype html><style>{sheet}</style><p>Shown words</p><p class="{name}">Secret</p>')
    assert found.text == "Shown words"
    assert found.notes == ("hidden text was left out: 1 words",)


@pytest.mark.parametrize(
    "style",
    ["content:'/*';display:none", "content:';';display:none", r"x:'\'/*';display:none", r"d\69splay:none"],
)
def test_a_string_in_a_style_ends_no_declaration_and_begins_no_comment(style: str) -> None:
    found = parse_html(f'<!doctype html><p>Shown words</p><p style="{style}">Secret</p>')
    assert (found.text, found.notes) == ("Shown words", ("hidden text was left out: 1 words",))


@pytest.mark.parametrize(
    "style", ["x:';display:none;", "x:';display:none;'", r"x:\;display:none", r"x:\3b display:none"]
)
def test_what_stands_in_a_string_is_no_declaration(style: str) -> None:
    assert parse_html(f'<!doctype html><p style="{style}">Words</p>').text == "Words"
