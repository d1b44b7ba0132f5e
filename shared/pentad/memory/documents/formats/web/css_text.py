"""Cut a style sheet into its rules, in one pass: those that hold for a screen of a desktop."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pentad.memory.documents.formats.web.css_media import holds_for_screen, is_supported

_STRING = r"\"(?:[^\"\\\n]++|\\[\s\S])*+\"|'(?:[^'\\\n]++|\\[\s\S])*+'"
_PLAIN = re.compile(
    r"(?P<comment>/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z))|\\(?:(?P<number>[0-9a-fA-F]{1,6})\s?|(?P<letter>[g-zG-Z_-]))"
    rf"|\\[\s\S]|{_STRING}|url\(\s*+[^()\"'\s]++\s*+\)",
    re.IGNORECASE,
)
"""Comments and escapes; in strings and addresses there are no comments."""
_MARK = re.compile(rf"\\[\s\S]|{_STRING}|(?P<mark>[{{}};])|<!--|-->")
_DECLARATION = re.compile(
    r"(?:[^;\"'\\]++|\"(?:[^\"\\\n]++|\\[\s\S])*+(?:\"|\Z)|'(?:[^'\\\n]++|\\[\s\S])*+(?:'|\Z)|\\[\s\S]|[\"'\\])++"
)
_TRANSPARENT = ("@media", "@supports", "@layer", "@container", "@scope", "@-moz-document", "@document")
"""Groups whose rules are rules of the page."""
_MOTIONS = ("@keyframes", "@-webkit-keyframes")
_OF_PLACES = ("@container", "@scope")
"""Those of them whose rules hold in some places of it."""
_MOST_CONDITION = 1_000
_MOST_DECLARATION = 1_000
"""Characters of a condition, and of a declaration: longer ones are addresses, above all."""
_QUOTED = re.compile(r"[\"'\\]")


@dataclass(frozen=True)
class CssRule:
    """One rule: its selectors, its declarations, and whether it stands within another one.

    An animation has its name for selectors, and its keyframes: what each is for, and what it declares. What orders
    layers (``@layer a, b;``) has their names for selectors.
    """

    selectors: str
    declarations: str
    nested: bool
    keyframes: tuple[tuple[str, str], ...] | None = None
    layer: str = ""
    orders: bool = False


@dataclass
class _CssBlock:
    prelude: str
    holds: bool
    is_rule: bool
    nested: bool = False
    declarations: list[str] = field(default_factory=list)
    keyframes: list[tuple[str, str]] | None = None
    layer: str = ""


def read_plain(style: str) -> str:
    """Return a style without its comments, and with its escaped letters read; other characters stay escaped."""
    return _PLAIN.sub(_read_plain, style)


def split_declarations(style: str) -> list[str]:
    """Return the declarations of a style: a semicolon in a string, or one that is escaped, parts none."""
    return _DECLARATION.findall(style)


def _read_plain(match: re.Match[str]) -> str:
    if match["comment"]:
        return ""
    if match["letter"]:
        return match["letter"]
    if not match["number"]:
        return match[0]
    number = int(match["number"], 16)
    # What is no character is read as U+FFFD (CSS Syntax 3, 4.3.7).
    letter = chr(number) if 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"
    return letter if letter.isalnum() or letter in "_-\ufffd" else f"\\{letter}"


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
            outer = frames[-1] if frames else None
            frames.append(_open(words, outer))
            frames[-1].layer = (outer.layer if outer is not None else "") or _find_layer(words)
        elif frames and frames[-1].is_rule and frames[-1].holds:
            frames[-1].declarations.append(_shorten(words))
        elif mark == ";" and not frames and (layer := _find_layer(words)):
            yield CssRule(layer, "", nested=False, orders=True)
        if mark == "}" and frames:
            frame = frames.pop()
            yield from _close(frame, frames[-1] if frames else None)
    if frames and frames[-1].is_rule:
        frames[-1].declarations.append(_shorten(sheet[start:].strip()))
    while frames:
        frame = frames.pop()
        yield from _close(frame, frames[-1] if frames else None)


def _find_layer(words: str) -> str:
    """Return the name of the layer that a group is, ``#`` for one without; nothing for what is none."""
    found = words[:_MOST_CONDITION].lower()
    return (found.removeprefix("@layer").strip() or "#") if found.startswith("@layer") else ""


def _shorten(declaration: str) -> str:
    if len(declaration) <= _MOST_DECLARATION:
        return declaration
    declaration = " ".join(declaration.split())
    name, _, value = declaration.partition(":")
    if name.strip().lower() in ("background", "background-image") and "url(" in value.lower():
        return f"{name[:50]}:url(x)"
    # A string that is cut would take what follows it.
    return _QUOTED.sub("", declaration[:_MOST_DECLARATION])


def _open(prelude: str, outer: _CssBlock | None) -> _CssBlock:
    holds = outer is None or outer.holds
    is_rule = outer is not None and (outer.is_rule or bool(outer.prelude))
    inside = outer is not None and (outer.is_rule or outer.nested)
    lower = prelude[:_MOST_CONDITION].lower()
    if not lower.startswith("@"):
        return _CssBlock(prelude, holds, is_rule=True, nested=inside)
    if lower.startswith("@media"):
        holds = holds and holds_for_screen(lower.removeprefix("@media"))
    elif lower.startswith("@supports"):
        holds = holds and is_supported(lower.removeprefix("@supports"))
    elif lower.startswith(_OF_PLACES):
        inside = True
    elif lower.startswith(_MOTIONS):
        return _CssBlock(prelude.split()[-1][:_MOST_CONDITION], holds, is_rule=False, keyframes=[])
    elif not lower.startswith(_TRANSPARENT):
        holds = False  # of printed pages, of fonts
    return _CssBlock(outer.prelude if outer is not None else "", holds, is_rule=is_rule, nested=inside)


def _close(frame: _CssBlock, outer: _CssBlock | None) -> Iterator[CssRule]:
    if frame.keyframes is not None and frame.holds:
        yield CssRule(frame.prelude, "", nested=False, keyframes=tuple(frame.keyframes))
    elif frame.is_rule and frame.holds and frame.declarations:
        declarations = ";".join(frame.declarations)
        if outer is not None and outer.keyframes is not None:
            outer.keyframes.append((frame.prelude, declarations))
        else:
            yield CssRule(frame.prelude, declarations, frame.nested, layer=frame.layer)
