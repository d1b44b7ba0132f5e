"""Cut a style sheet into its rules, in one pass: those that hold for a screen of a desktop."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_COMMENT = re.compile(r"/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)")
_ESCAPE = re.compile(r"\\(?:(?P<number>[0-9a-fA-F]{1,6})\s?|(?P<letter>[g-zG-Z_-]))")
_MARK = re.compile(r"\"(?:[^\"\\\n]++|\\.)*+\"|'(?:[^'\\\n]++|\\.)*+'|(?P<mark>[{};])|<!--|-->")
_FEATURE = re.compile(r"\(\s*(?P<name>[a-z-]+)\s*(?::\s*(?P<value>[^()]{1,40}))?\)")
_LENGTH = re.compile(r"(\d{1,6}(?:\.\d{0,6})?)\s*(px|em|rem)")
_UNITS = {"px": 1, "em": 16, "rem": 16}
_SCREEN = {"width": 1280, "height": 800, "device-width": 1280, "device-height": 800}
"""Pixels of the screen for which a page is read."""
_NOT_SO = {"prefers-color-scheme": "dark", "prefers-reduced-motion": "reduce", "orientation": "portrait"}
_TRANSPARENT = ("@media", "@supports", "@layer", "@container", "@scope", "@-moz-document", "@document", "@starting-")
"""Groups whose rules are rules of the page."""
_MOST_PRELUDE = 300
_MOST_BLOCK = 4_000
"""Characters of a rule's declarations."""


@dataclass(frozen=True)
class CssRule:
    """One rule: its selectors, its declarations, and whether it stands within another one."""

    selectors: str
    declarations: str
    nested: bool


@dataclass
class _CssBlock:
    prelude: str
    holds: bool
    is_rule: bool
    nested: bool = False
    declarations: list[str] = field(default_factory=list)


def read_plain(style: str) -> str:
    """Return a style without its comments, and with its escaped letters read."""
    return _ESCAPE.sub(_read_escape, _COMMENT.sub("", style))


def _read_escape(match: re.Match[str]) -> str:
    if match["letter"]:
        return match["letter"]
    number = int(match["number"], 16)
    # What is no character is read as U+FFFD (CSS Syntax 3, 4.3.7).
    return chr(number) if 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"


def iter_rules(sheet: str) -> Iterator[CssRule]:
    """Yield the rules that hold for a screen, in order; one that is not closed ends with the sheet."""
    sheet = read_plain(sheet)
    frames: list[_CssBlock] = []
    start = 0
    for match in _MARK.finditer(sheet):
        mark = match["mark"]
        if mark is None:
            if match[0] in ("<!--", "-->"):
                start = match.end()
            continue
        words = sheet[start : match.start()].strip()
        start = match.end()
        if mark == "{":
            frames.append(_open(words[-_MOST_PRELUDE:], frames[-1] if frames else None))
        elif frames and frames[-1].is_rule and frames[-1].holds:
            frames[-1].declarations.append(words[:_MOST_BLOCK])
        if mark == "}" and frames:
            yield from _close(frames.pop())
    if frames and frames[-1].is_rule:
        frames[-1].declarations.append(sheet[start:][:_MOST_BLOCK])
        yield from _close(frames[-1])


def holds_for_screen(query: str) -> bool:
    """Tell whether a media query holds for a screen of 1280 by 800 pixels; what is not known of it holds."""
    queries = query.lower().split(",")
    return not query.strip() or any(_holds(one.strip()) for one in queries)


def _open(prelude: str, outer: _CssBlock | None) -> _CssBlock:
    holds = outer is None or outer.holds
    inside = outer is not None and (outer.is_rule or outer.nested)
    lower = prelude.lower()
    if not lower.startswith("@"):
        return _CssBlock(prelude, holds, is_rule=True, nested=inside)
    if lower.startswith("@media"):
        holds = holds and holds_for_screen(lower.removeprefix("@media"))
    elif not lower.startswith(_TRANSPARENT):
        holds = False  # of a moment of an animation, of printed pages, of fonts
    return _CssBlock(outer.prelude if outer is not None else "", holds, is_rule=inside, nested=inside)


def _close(frame: _CssBlock) -> Iterator[CssRule]:
    if frame.is_rule and frame.holds and frame.declarations:
        yield CssRule(frame.prelude, ";".join(frame.declarations)[:_MOST_BLOCK], frame.nested)


def _holds(query: str) -> bool:
    if query.startswith("not "):
        return not _holds(query.removeprefix("not ").strip())
    kind = query.removeprefix("only ").partition(" ")[0]
    if kind in ("print", "speech", "aural", "braille", "handheld", "tty", "tv", "projection", "embossed"):
        return False
    return all(_has_feature(match["name"], (match["value"] or "").strip()) for match in _FEATURE.finditer(query))


def _has_feature(name: str, value: str) -> bool:
    if name in _NOT_SO:
        return value != _NOT_SO[name]
    bound, _, feature = name.partition("-")
    length = _LENGTH.match(value)
    if bound not in ("min", "max") or feature not in _SCREEN or length is None:
        return True
    pixels = float(length[1]) * _UNITS[length[2]]
    return pixels <= _SCREEN[feature] if bound == "min" else pixels >= _SCREEN[feature]
