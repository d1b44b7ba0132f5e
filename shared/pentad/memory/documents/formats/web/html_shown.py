"""Tell what of a page a reader sees: neither hidden elements, nor scripts, nor navigation."""

import re
from collections.abc import Mapping

from pentad.memory.documents.formats.web.css_hiding import hides, is_clear, is_invisible, is_small
from pentad.memory.documents.formats.web.css_media import holds_for_screen
from pentad.memory.documents.formats.web.html_open import CLEAR, INVISIBLE, SMALL, VOID, OpenElements
from pentad.memory.documents.formats.web.html_paint import PageColors
from pentad.memory.documents.formats.web.html_styles import StyleRules
from pentad.memory.documents.formats.web.html_tokens import HtmlToken

_NEVER = frozenset({"script", "style", "template"})
FALLBACKS = frozenset({"noscript", "iframe", "noframes", "noembed", "video", "audio", "canvas"})
"""Elements whose content browsers show only where they can't show the element itself, or run no scripts."""
_UNSEEN = frozenset({"datalist", "rp"})
_UNSEEN_IN_PICTURES = frozenset({"desc", "defs", "metadata", "symbol", "annotation", "annotation-xml"})
_RAW = frozenset({"noscript", "iframe", "noframes", "noembed"})
"""Those of them whose content is no markup to a browser: it ends at the first end tag."""
_ENDS_ITSELF = frozenset("p li dt dd option td th tr".split())
"""Elements whose end tag may be left out: the next of their kind ends them."""
_ASIDE = frozenset({"nav", "navigation"})
_OUTSIDE_MAIN = frozenset({"header", "footer", "aside", "banner", "contentinfo", "complementary", "search"})


_WORD = re.compile(r"\w+")
_MOST_REMEMBERED = 5_000
"""Elements of which is remembered what is declared of them: most elements of a page are like others."""
_Seen = tuple[dict[str, str], str]


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
        self._open = OpenElements()
        self._raw = ""
        self._linked = False
        self._shown_words = 0
        self._left_out: dict[str, int] = {}
        self._grounds = PageColors()
        self._seen: dict[tuple[str, str], _Seen] = {}

    def open_tag(self, token: HtmlToken) -> bool:
        """Tell whether a tag that opens is shown."""
        tag = token.value
        if self._raw:
            return False
        if tag == "link" and not self._linked:
            self._linked = _links_sheet(token.read_attributes())
        if not self._open.begin(tag):
            return not self._open.why
        around = self._open.why_around
        # Looked at within what is hidden too: that may end before this element does.
        declared, why = self._look(token)
        shows = _find_undone(declared)
        why = why or self._find_place(tag, token)
        if tag in VOID:
            return not (why or (around and around not in shows))
        if tag in _RAW and tag not in self._endless:
            self._raw = tag
            return False
        shown = not self._open.push(tag, why, shows=shows, is_main=is_main(token)).why
        if shown:
            self._grounds.open_tag(tag, declared, ends_itself=tag in _ENDS_ITSELF)
        return shown

    def close_tag(self, tag: str) -> bool:
        """Tell whether a tag that closes is shown."""
        if self._raw:
            if tag == self._raw:
                self._raw = ""
            return False
        ended = self._open.end(tag)
        if ended.why if ended is not None else self._open.why:
            return False
        self._grounds.close_tag(tag)
        return True

    def take_words(self, words: str) -> bool:
        """Tell whether words are shown; count those that are not."""
        count = len(_WORD.findall(words))
        why = self._open.why
        if self._raw:
            why = why or ("noscript" if self._raw == "noscript" else "fallback")
        if not why:
            self._shown_words += count
            self._grounds.take_words(words)
        elif count:
            self._left_out[why] = self._left_out.get(why, 0) + count
        return not why

    def get_notes(self) -> list[str]:
        """Return what was left out, where somebody may miss it, and what was read though it may not be seen."""
        notes = [f"a '{tag}' has no end: what follows it was read" for tag in sorted(self._endless)]
        hidden = sum(self._left_out.get(why, 0) for why in ("hidden", INVISIBLE, SMALL, CLEAR))
        if hidden > self._shown_words and hidden > 1:
            words = f"{hidden:,} of {hidden + self._shown_words:,} words"
            notes.insert(0, f"most of its text was left out, since its styles hide it: {words}")
        elif hidden:
            notes.append(f"hidden text was left out: {hidden:,} words")
        if fallback := self._left_out.get("noscript", 0):
            notes.append(f"text for browsers without scripts was left out: {fallback:,} words")
        if fallback := self._left_out.get("fallback", 0):
            notes.append(f"text for browsers that can't show an element was left out: {fallback:,} words")
        if doubts := self._rules.list_doubts():
            named = ", ".join(f"'{one[:60]}'" for one in doubts)
            notes.append(f"text was read that these rules of its style sheets may hide: {named}")
        if self._grounds.count:
            words = " ".join(self._grounds.words)[:120]
            notes.append(f"words in the colour of their ground, as far as is known, were read: {words}")
        if self._linked:
            notes.append("style sheets of other files were not read: text that they hide is in it")
        return notes

    def _look(self, token: HtmlToken) -> _Seen:
        """Return what is declared of an element, and why it is not shown whatever is around it, or nothing."""
        tag = token.value
        if tag in self._endless:
            return {}, ""
        if tag in FALLBACKS:
            return {}, "noscript" if tag == "noscript" else "fallback"
        if tag in _UNSEEN or (self._open.count("svg", "math") and tag in _UNSEEN_IN_PICTURES):
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
        reasons = [why for why, said in _list_undoable(declared) if said]
        if hides(declared) or len(reasons) > 1:
            return declared, "hidden"
        return declared, reasons[0] if reasons else ""

    def _find_place(self, tag: str, token: HtmlToken) -> str:
        """Return why the place that a tag has in the page keeps it out, or nothing."""
        if self._navigation:
            return ""
        role = token.read_attributes().get("role", "").lower() if "role" in token.attributes.lower() else ""
        outside = self._main_only and not self._open.has_main and bool(_OUTSIDE_MAIN & {tag, role})
        return "navigation" if _ASIDE & {tag, role} or outside else ""


def _find_undone(declared: Mapping[str, str]) -> frozenset[str]:
    """Return what an element undoes of what is declared around it."""
    return frozenset(why for why, said in _list_undoable(declared) if said is False)


def _list_undoable(declared: Mapping[str, str]) -> tuple[tuple[str, bool | None], ...]:
    return (INVISIBLE, is_invisible(declared)), (SMALL, is_small(declared)), (CLEAR, is_clear(declared))


def is_main(token: HtmlToken) -> bool:
    """Tell whether an element holds what its page is about."""
    if token.value in ("main", "article"):
        return True
    return "main" in token.attributes.lower() and token.read_attributes().get("role", "").strip().lower() == "main"


def _find_given(tag: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Return what a browser declares of an element by itself (HTML, 15.3)."""
    given: dict[str, str] = {}
    if attributes.get("hidden", "").strip().lower() == "until-found":
        given["content-visibility"] = "hidden"
    elif "hidden" in attributes or "popover" in attributes or (tag == "dialog" and "open" not in attributes):
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
