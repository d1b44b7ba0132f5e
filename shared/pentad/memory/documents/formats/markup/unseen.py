"""Find what nobody sees of HTML that stands in other markup: comments, hidden elements, values of attributes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

from pentad.memory.documents.formats.web.html import ENDLESS_COMMENT
from pentad.memory.documents.formats.web.html_shown import Shown
from pentad.memory.documents.formats.web.html_styles import StyleRules
from pentad.memory.documents.formats.web.html_tokens import HtmlToken, HtmlTokens

Place = tuple[int, int]
"""Where something stands: its first character, and the one after its last."""
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_COMMENT = "<!--"
_BARE = re.compile(r"<(?![A-Za-z/!?])")
_MAY_HIDE = re.compile(
    r"<[!?]|<(?:script|style|template|noscript|iframe|noframes|noembed|video|audio|canvas|dialog|datalist|rp|svg|math)\b|"
    r"<[A-Za-z][^\s<>/]*+[\s/\"'=]",
    re.IGNORECASE,
)
"""What begins a comment, an element that is not shown, or a tag with attributes."""
_RAW = ("script", "style")
_ATTRIBUTE = re.compile(r"\s++([^\s\"'>/=]++)\s*+=\s*+(\"[^\"]*+\"|'[^']*+')")
_SEEN_ATTRIBUTES = frozenset({"alt", "href", "src", "title", "value", "placeholder", "label", "summary", "open"})
"""Attributes whose values a reader sees, or whose addresses help to find things."""
_MOST_NAMED = 5
_MOST_JUDGED = 1000
_COVER = str.maketrans("<>", "  ")


@dataclass
class Unseen:
    """What is to be cut out of a text, in order and apart, and what is to be said about it."""

    places: list[Place] = field(default_factory=list)
    comments: int = 0
    notes: list[str] = field(default_factory=list)


def cut_out(text: str, places: Iterable[Place]) -> str:
    """Return the text without some places, which may overlap."""
    kept, position = [], 0
    for start, end in sorted(places):
        kept.append(text[position : max(start, position)])
        position = max(end, position)
    return "".join([*kept, text[position:]])


def cover(text: str, places: Iterable[Place]) -> str:
    """Return a text of the same length in which no tag and no comment begins or ends in some places, given in order."""
    kept, position = [], 0
    for start, end in places:
        kept += [text[position:start], text[start:end].translate(_COVER)]
        position = end
    return "".join([*kept, text[position:]])


def find_unseen(text: str) -> Unseen:
    """Return what browsers do not show of the HTML in a text. Other markup counts as words.

    Elements that have no end would hide all that follows: they are read, and that is a doubt.
    """
    found = Unseen()
    if not _MAY_HIDE.search(text):
        return found
    text, endless = _cover_endless(_BARE.sub(" ", text))
    if _COMMENT in endless:
        del endless[_COMMENT]
        found.notes.append(ENDLESS_COMMENT)
    rules, without_end = _look_ahead(text)
    tokens = HtmlTokens(text)
    shown, position = Shown(rules, navigation=True), 0
    judge = lru_cache(_MOST_JUDGED)(partial(_hides, rules))
    for index, token in enumerate(tokens):
        start, end = tokens.place
        if start > position:
            found.places.append((position, start))
            found.comments += text.startswith(_COMMENT, position)
        position = max(position, end)
        if index in without_end:
            if judge(token.value, token.attributes):
                endless.setdefault(token.value)
        elif _take(shown, token):
            if token.kind == "start":
                found.places += _find_attributes(text, start, end)
        else:
            found.places.append((start, end))
    if position < len(text):
        found.places.append((position, len(text)))
        found.comments += text.startswith(_COMMENT, position)
    found.notes += [f"a hidden '{tag[:40]}' has no end: what follows it was read" for tag in list(endless)[:5]]
    found.notes += shown.get_notes()
    return found


def _hides(rules: StyleRules, name: str, attributes: str) -> bool:
    return not Shown(rules, navigation=True).open_tag(HtmlToken("start", name, attributes))


def _take(shown: Shown, token: HtmlToken) -> bool:
    if token.kind == "text":
        return shown.take_words(token.value)
    if token.kind == "start":
        return shown.open_tag(token)
    return token.kind == "end" and shown.close_tag(token.value)


def _cover_endless(text: str) -> tuple[str, dict[str, None]]:
    """Return a text without comments, scripts and styles that have no end, and the names of these."""
    endless: dict[str, None] = {}
    last = max(text.rfind(end) for end in ("-->", "--!>")) + 1
    if (begin := text.find(_COMMENT, last)) >= 0:
        endless[_COMMENT] = None
        text = text[:begin] + text[begin:].replace(_COMMENT, " !--")
    lower = text.lower()
    for name in _RAW:
        last = lower.rfind(f"</{name}") + 1
        places = [(one.start(), one.start() + 1) for one in re.finditer(rf"<{name}(?=[\s/>])", lower[last:])]
        if places:
            endless[name] = None
            text = cover(text, [(start + last, end + last) for start, end in places])
    return text, endless


def _look_ahead(text: str) -> tuple[StyleRules, set[int]]:
    """Return the rules of all style sheets, and which tokens are start tags without an end tag of their own."""
    rules = StyleRules()
    opened: dict[str, list[int]] = {}
    for index, token in enumerate(HtmlTokens(text)):
        if token.kind == "style":
            rules.read(token.value, token.read_attributes().get("media", ""))
        elif token.kind == "start" and token.value not in _VOID:
            opened.setdefault(token.value, []).append(index)
        elif token.kind == "end" and opened.get(token.value):
            opened[token.value].pop()
    return rules, {index for indexes in opened.values() for index in indexes}


def _find_attributes(text: str, start: int, end: int) -> list[Place]:
    """Return where a tag has values of several words that no reader sees."""
    if '"' not in text[start:end] and "'" not in text[start:end]:
        return []
    return [
        (one.start(), one.end())
        for one in _ATTRIBUTE.finditer(text, start, end)
        if one[1].lower() not in _SEEN_ATTRIBUTES and len(one[2].split()) > 1
    ]


def add_raw_html(unseen: Unseen, text: str, places: Sequence[Place]) -> None:
    """Add what browsers do not show of the HTML that stands in some places of a text, given in order."""
    if not places:
        return
    between = zip([0, *(end for _, end in places)], [*(start for start, _ in places), len(text)], strict=True)
    found = find_unseen(cover(text, [(start, max(start, end)) for start, end in between]))
    unseen.places += found.places
    if found.comments:
        unseen.notes.append(f"comments within HTML were left out: {found.comments:,}")
    unseen.notes += found.notes


def note_read(unseen: Unseen, what: str, names: Iterable[str]) -> None:
    """Note that something was read, or not, and name the first of it."""
    listed = [" ".join(name.split())[:60] for name in names]
    if listed:
        more = f" and {len(listed) - _MOST_NAMED:,} more" if len(listed) > _MOST_NAMED else ""
        unseen.notes.append(f"{what}: {', '.join(listed[:_MOST_NAMED])}{more}")
