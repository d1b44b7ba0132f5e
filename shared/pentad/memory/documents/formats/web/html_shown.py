"""Tell what of a page a reader sees: neither hidden elements, nor scripts, nor navigation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pentad.memory.documents.formats.web.css_hiding import hides, is_invisible
from pentad.memory.documents.formats.web.css_text import holds_for_screen
from pentad.memory.documents.formats.web.html_paint import PageColors
from pentad.memory.documents.formats.web.html_styles import StyleRules
from pentad.memory.documents.formats.web.html_tokens import HtmlToken

_NEVER = frozenset({"script", "style", "template"})
FALLBACKS = frozenset({"noscript", "iframe", "noframes", "noembed", "video", "audio", "canvas"})
"""Elements whose content browsers show only where they can't show the element itself, or run no scripts."""
_UNSEEN = frozenset({"datalist", "rp"})
_UNSEEN_IN_PICTURES = frozenset({"desc", "defs", "metadata", "symbol", "annotation", "annotation-xml"})
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_ENDS_ITSELF = frozenset("p li dt dd option td th tr".split())
"""Elements whose end tag may be left out: the next of their kind, or a block, ends them."""
_BLOCK_STARTS = frozenset(
    "address article aside blockquote div dl fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre"
    " section table td th tr ul dt dd option body".split()
)
_ASIDE = frozenset({"nav", "navigation"})
_OUTSIDE_MAIN = frozenset({"header", "footer", "aside", "banner", "contentinfo", "complementary", "search"})


_WORD = re.compile(r"\w+")
_MOST_REMEMBERED = 5_000
"""Elements of which is remembered what is declared of them: most elements of a page are like others."""
_Seen = tuple[dict[str, str], str]


@dataclass
class _LeftOut:
    """An element that is left out (``why``), or one within it that is shown (no reason)."""

    tag: str
    why: str
    depth: int = 1
    outer: int = 0
    """Elements within that are of the kind of the one around it."""


class Shown:
    """Follows the tags of a page.

    Args:
        rules: of its style sheets.
        main_only: the page says what its main content is, so headers, footers and asides of the page are none of it.
        navigation: it is shown too.
        endless: elements that have no end, and would hide the rest of the page: what is in them is shown.
    """

    def __init__(
        self,
        rules: StyleRules,
        *,
        main_only: bool = False,
        navigation: bool = False,
        endless: frozenset[str] = frozenset(),
    ) -> None:
        self._rules = rules
        self._main_only = main_only
        self._navigation = navigation
        self._endless = endless
        self._frames: list[_LeftOut] = []
        self._inside_main = 0
        self._inside_picture = 0
        self._linked = False
        self._shown_words = 0
        self._left_out: dict[str, int] = {}
        self._grounds = PageColors()
        self._seen: dict[tuple[str, str], _Seen] = {}

    def open_tag(self, token: HtmlToken) -> bool:
        """Tell whether a tag that opens is shown."""
        tag = token.value
        if tag == "link" and not self._linked:
            self._linked = _links_sheet(token.read_attributes())
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.why:
            ends = frame.tag in _ENDS_ITSELF and frame.depth == 1 and tag in _BLOCK_STARTS
            if not (ends and (tag == frame.tag or frame.tag == "p")):
                return self._open_within(frame, token)
            self._frames.pop()
        elif frame is not None:
            frame.depth += tag == frame.tag and tag not in _VOID
            frame.outer += tag == self._frames[-2].tag and tag != frame.tag
        declared, why = self._look(token)
        why = why or self._find_place(tag, token)
        if why and tag not in _VOID:
            self._frames.append(_LeftOut(tag, why))
        if why:
            return False
        self._inside_main += tag in ("main", "article")
        self._inside_picture += tag in ("svg", "math")
        if tag not in _VOID:
            self._grounds.open_tag(tag, declared, ends_itself=tag in _ENDS_ITSELF)
        return True

    def close_tag(self, tag: str) -> bool:
        """Tell whether a tag that closes is shown."""
        frame = self._frames[-1] if self._frames else None
        if frame is not None and not frame.why and tag != frame.tag and tag == self._frames[-2].tag:
            frame.outer -= 1
            if frame.outer < 0:  # it ends with the element around it
                self._frames.pop()
                frame = self._frames[-1]
        if frame is not None and tag == frame.tag:
            frame.depth -= 1
            if not frame.depth:
                self._frames.pop()
        if frame is not None and frame.why:
            return False
        self._inside_main = max(0, self._inside_main - (tag in ("main", "article")))
        self._inside_picture = max(0, self._inside_picture - (tag in ("svg", "math")))
        self._grounds.close_tag(tag)
        return True

    def take_words(self, words: str) -> bool:
        """Tell whether words are shown; count those that are not."""
        count = len(_WORD.findall(words))
        why = self._frames[-1].why if self._frames else ""
        if not why:
            self._shown_words += count
            self._grounds.take_words(words)
        elif count:
            self._left_out[why] = self._left_out.get(why, 0) + count
        return not why

    def get_notes(self) -> list[str]:
        """Return what was left out, where somebody may miss it, and what was read though it may not be seen."""
        notes = [f"a '{tag}' has no end: what follows it was read" for tag in sorted(self._endless)]
        hidden = sum(self._left_out.get(why, 0) for why in ("hidden", "invisible"))
        if hidden > self._shown_words and hidden > 1:
            words = f"{hidden:,} of {hidden + self._shown_words:,} words"
            notes.insert(0, f"most of its text was left out, since its styles hide it: {words}")
        elif hidden:
            notes.append(f"hidden text was left out: {hidden:,} words")
        if fallback := self._left_out.get("noscript", 0):
            notes.append(f"text for browsers without scripts was left out: {fallback:,} words")
        if fallback := self._left_out.get("fallback", 0):
            notes.append(f"text for browsers that can't show an element was left out: {fallback:,} words")
        if self._rules.doubts:
            named = ", ".join(f"'{one[:60]}'" for one in self._rules.doubts)
            notes.append(f"text was read that these rules of its style sheets may hide: {named}")
        if self._grounds.count:
            words = " ".join(self._grounds.words)[:120]
            notes.append(f"words in the colour of their ground, as far as is known, were read: {words}")
        if self._linked:
            notes.append("style sheets of other files were not read: text that they hide is in it")
        return notes

    def _open_within(self, frame: _LeftOut, token: HtmlToken) -> bool:
        """Tell whether an element is shown though one around it is not: what is invisible can hold what is visible."""
        if frame.why == "invisible" and token.value not in _VOID:
            declared, why = self._look(token)
            if not why and is_invisible(declared) is False:
                self._frames.append(_LeftOut(token.value, ""))
                return True
        frame.depth += token.value == frame.tag and token.value not in _VOID
        return False

    def _look(self, token: HtmlToken) -> _Seen:
        """Return what is declared of an element, and why it is not shown whatever is around it, or nothing."""
        tag = token.value
        if tag in self._endless:
            return {}, ""
        if tag in FALLBACKS:
            return {}, "noscript" if tag == "noscript" else "fallback"
        if tag in _UNSEEN or (self._inside_picture and tag in _UNSEEN_IN_PICTURES):
            return {}, "hidden"
        key = (tag, token.attributes)
        if (seen := self._seen.get(key)) is None:
            if len(self._seen) >= _MOST_REMEMBERED:
                self._seen.clear()
            seen = self._seen[key] = self._judge(token)
        return seen

    def _judge(self, token: HtmlToken) -> _Seen:
        tag = token.value
        attributes = token.read_attributes() if token.attributes.strip(" /\n") else {}
        if tag in _NEVER:
            return {}, "" if tag == "template" and "shadowrootmode" in attributes else "script"
        if tag == "input" and attributes.get("type", "").lower() == "hidden":
            return {}, "hidden"
        declared = self._rules.resolve(tag, attributes, _find_given(tag, attributes))
        if hides(declared):
            return declared, "hidden"
        return declared, "invisible" if is_invisible(declared) else ""

    def _find_place(self, tag: str, token: HtmlToken) -> str:
        """Return why the place that a tag has in the page keeps it out, or nothing."""
        if self._navigation:
            return ""
        role = token.read_attributes().get("role", "").lower() if "role" in token.attributes.lower() else ""
        outside = self._main_only and not self._inside_main and bool(_OUTSIDE_MAIN & {tag, role})
        return "navigation" if _ASIDE & {tag, role} or outside else ""


def _find_given(tag: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Return what a browser declares of an element by itself (HTML, 15.3)."""
    given: dict[str, str] = {}
    if "hidden" in attributes or "popover" in attributes or (tag == "dialog" and "open" not in attributes):
        given["display"] = "none"
    if tag == "font" and attributes.get("color"):
        given["color"] = attributes["color"].strip().lower()
    if attributes.get("bgcolor"):
        given["background-color"] = attributes["bgcolor"].strip().lower()
    if tag == "img" and {attributes.get("width"), attributes.get("height")} & {"0", "1"}:
        given["display"] = "none"
    return given


def _links_sheet(attributes: Mapping[str, str]) -> bool:
    kinds = attributes.get("rel", "").lower().split()
    return "stylesheet" in kinds and holds_for_screen(attributes.get("media", ""))
