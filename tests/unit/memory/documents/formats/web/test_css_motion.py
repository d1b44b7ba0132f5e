"""What is seen of an element when its animation has run."""

import pytest

from pentad.memory.documents.formats.web import css_motion
from pentad.memory.documents.formats.web.html import parse_html

FADE = "@keyframes fadeIn{from{opacity:0}to{opacity:1}}@keyframes go{to{visibility:hidden}}"
DOUBT = "text was read that these rules of its style sheets may hide: '@keyframes fadein'"
LEFT_OUT = ("hidden text was left out: 1 words",)


def read(style: str, around: str = "STYLE") -> tuple[str, tuple[str, ...]]:
    sheet = f"{around.replace('STYLE', '.a{' + style + '}')}{FADE}"
    found = parse_html(f"<!doctype html><style>{sheet}</style><p>Two seen</p><p class=a>Words</p>")
    return found.text.removeprefix("Two seen").strip(), found.notes


@pytest.mark.parametrize(
    "style",
    [
        "opacity:0;animation:fadeIn 1s forwards",
        "opacity:0;animation:x 1s,fadeIn 1s cubic-bezier(.1,.2,.3,.4) .5s both",
        "opacity:0;animation-name:fadeIn;animation-duration:400ms;animation-fill-mode:both",
        "opacity:0;-webkit-animation:fadeIn 1s forwards",
        "opacity:0;animation:fadeIn 3s infinite alternate",
        "--fade:fadeIn 1s forwards;opacity:0;animation:var(--fade)",
    ],
)
def test_what_fades_in_is_read_with_a_doubt(style: str) -> None:
    assert read(style) == ("Words", (DOUBT,))


@pytest.mark.parametrize(
    "style",
    [
        "opacity:0;animation:fadeIn 1s",
        "opacity:0;animation:unknown 1s forwards",
        "opacity:0;animation:fadeIn 1s forwards;animation-fill-mode:none",
        "opacity:0;animation-fill-mode:forwards;animation:fadeIn 1s",
        "opacity:0;animation:fadeIn 1s 9999s forwards",
        "opacity:0;animation:fadeIn 1s forwards paused",
        "opacity:0!important;animation:fadeIn 1s forwards",
        "animation:fadeIn 1s reverse forwards",
        "animation:go 0s forwards",
        "animation:go 1s both",
        "--go:go 0s forwards;animation:var(--go)",
        "animation:fadeIn 99999s",
    ],
)
def test_what_is_hidden_when_its_animation_has_run_is_left_out(style: str) -> None:
    assert read(style) == ("", LEFT_OUT)


def test_what_an_animation_only_moves_is_read() -> None:
    assert read("animation:fadeIn 1s") == ("Words", ())
    assert read("animation:fadeIn 1s infinite") == ("Words", ())


def test_an_animation_of_a_rule_that_is_not_followed_is_a_doubt() -> None:
    assert read("", "p + .a{animation:go 0s forwards}") == (
        "Words",
        ("text was read that these rules of its style sheets may hide: 'p + .a'",),
    )


def test_a_later_animation_of_a_name_counts() -> None:
    assert read("opacity:0;animation:fade 1s forwards", "STYLE@keyframes fade{to{opacity:1}}@keyframes fade{}") == (
        "",
        LEFT_OUT,
    )


def test_keyframes_are_told_apart() -> None:
    motion = css_motion.build_motion([("from, 50%", {"opacity": "0"}), ("100%", {"opacity": "1"})])
    assert (motion.first, motion.last) == ({"opacity": "0"}, {"opacity": "1"})


@pytest.mark.parametrize(
    ("sheet", "shown"),
    [
        ("@layer a{p.a{display:none}}.a{display:block}", True),
        (".a{display:none}@layer a{p.a{display:block}}", False),
        ("@layer a,b;@layer b{.a{display:block}}@layer a{p.a{display:none}}", True),
        ("@layer a,b;@layer b{.a{display:none}}@layer a{p.a{display:block}}", False),
        ("@layer a{.a{display:none!important}}.a{display:block!important}", False),
        ("@layer a{p.a{display:none}@media screen{p.a{color:red}}}@layer{.a{display:block}}", True),
    ],
)
def test_layers_count_in_their_order(sheet: str, shown: bool) -> None:
    assert read("", sheet) == ("Words" if shown else "", () if shown else LEFT_OUT)


@pytest.mark.parametrize(
    "sheet",
    [
        ".a," + ",".join(f".other-{number}" for number in range(200)) + "{display:none}",
        ".a{background:url(data:image/png;base64," + "A" * 9_000 + ");display:none}",
        ".a{content:'" + "x" * 9_000 + "';display:none}",
        ".a{display:" + " " * 9_000 + "none}",
        ".a{" + "color:red;" * 2_000 + "display:none}",
        ".a{display:none;.b{color:red",
        "@media screen{.a{display:none",
    ],
)
def test_long_and_unclosed_rules_hide_too(sheet: str) -> None:
    found = parse_html(f"<!doctype html><style>{sheet}</style><p>Two seen</p><p class=a>Words</p>")
    assert (found.text, found.notes) == ("Two seen", LEFT_OUT)


def test_animations_of_many_kinds_are_a_doubt_past_a_limit() -> None:
    frames = "".join(f"{share}%{{opacity:0}}" for share in range(1, 50))
    many = "".join(f"<p class=a style='left:{number}px'>w</p>" for number in range(500))
    found = parse_html(f"<!doctype html><style>@keyframes f{{{frames}}}.a{{animation:f 9s infinite}}</style>{many}")
    assert found.text.count("w") == 500
    assert found.notes == ("text was read that these rules of its style sheets may hide: 'animations of many kinds'",)
