"""Render HTML as text, with its headings, paragraphs, list items, table rows and preformatted blocks.

Read is what a reader sees: hidden text is left out, since it is a way to put words into a model's context that nobody
notices, and so is navigation. Alternative texts of images and the values of fields are read.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.web.html_shown import FALLBACKS, Shown, is_main
from pentad.memory.documents.formats.web.html_styles import StyleRules
from pentad.memory.documents.formats.web.html_tables import HtmlTable
from pentad.memory.documents.formats.web.html_tokens import HtmlToken, HtmlTokens
from pentad.memory.documents.structure import ParsedText, clean

_BREAK = "\x00"  # a line break to keep; no document holds one, see clean()
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body button dd details div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 head header hr html legend li main nav ol option p pre section select summary"
    " table tbody td textarea tfoot th thead title tr ul caption".split()
)
_STRUCK = frozenset({"del", "s", "strike"})
_STRIKE = "~~"
"""Around words that hold no more, as Markdown has it: a price that was struck out is not the price."""
_ITEMS = frozenset({"li", "dt", "dd", "option"})
_FILES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".zip", ".csv", ".txt", ".odt")
_FIELDS = frozenset({"", "text", "button", "submit", "email", "tel", "url", "number", "date", "search", "reset"})
_HEAD_CHARACTERS = 2_000
_STANDARD = re.compile(
    r"(?:\s|<\?[^>]*+>|<!--(?:[^-]|-(?!->))*+-->)*+<!doctype\s+html\s*+(?:>|system\b|public\s*+[\"']-//w3c//dtd\s"
    r"(?:xhtml\s1|html\s4\.01(?!\stransitional//en[\"']\s*+>|\sframeset//en[\"']\s*+>)))",
    re.IGNORECASE,
)
"""How a page begins whose lengths have units: others are read in the mode that browsers call quirks."""

ENDLESS_COMMENT = "a comment has no end, and pages show nothing after it: what follows it was read"


def parse_html(text: str) -> ParsedText:
    """Return the rendered text and its blocks."""
    lower = text.lower()
    has_main = "<main" in lower or ("role" in lower and "main" in lower)
    has_main = has_main and any(
        one.value != "article" and is_main(one) for one in HtmlTokens(text) if one.kind == "start"
    )
    # Without their end they would hide the rest of the page.
    endless = frozenset(name for name in FALLBACKS if lower.count(f"<{name}") > lower.count(f"</{name}"))
    quirks = _STANDARD.match(text[:_HEAD_CHARACTERS]) is None
    rules = _read_styles(text, quirks) if "<style" in lower else StyleRules(quirks=quirks)
    tokens = HtmlTokens(text)
    found = _render(tokens, Shown(rules, main_only=has_main, endless=endless))
    if not found.text:  # A page of links only is worth something too.
        found = _render(HtmlTokens(text), Shown(rules, navigation=True, endless=endless))
    return replace(found, notes=(*found.notes, ENDLESS_COMMENT)) if tokens.has_endless_comment else found


def _read_styles(text: str, quirks: bool) -> StyleRules:
    """Return the rules of all style sheets: one at a page's end holds for what stands before it."""
    rules, unused = StyleRules(quirks=quirks), 0
    for token in HtmlTokens(text):
        if token.kind == "style" and not unused:
            rules.read(token.value, token.read_attributes().get("media", ""))
        elif token.value in ("noscript", "template") and token.kind in ("start", "end"):
            unused = max(0, unused + (1 if token.kind == "start" else -1))
    return rules


def _render(tokens: Iterable[HtmlToken], shown: Shown) -> ParsedText:
    reader = _Reader(shown)
    for token in tokens:
        reader.take(token)
    return reader.finish()


class _Reader:
    """Collects blocks: whatever stands between two block-level tags is one."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._out = TextBuilder()
        self._words: list[str] = []
        self._page_title = ""
        self._tag = ""
        self._pre = 0
        self._tables: list[HtmlTable] = []
        self._links: deque[str] = deque(maxlen=20)

    def take(self, token: HtmlToken) -> None:
        """Take the next token."""
        if token.kind == "text":
            if self._shown.take_words(token.value):
                self._words.append(token.value)
        elif token.kind == "start":
            if self._shown.open_tag(token):
                self._open_tag(token)
        elif token.kind == "end" and self._shown.close_tag(token.value):
            self._close_tag(token.value)

    def finish(self) -> ParsedText:
        """Return the text and its blocks, with what the document left open."""
        self._end_block()
        while self._tables:
            self._end_table()
        self._out.notes += self._shown.get_notes()
        return self._out.finish(root=self._page_title)

    def _open_tag(self, token: HtmlToken) -> None:
        tag = token.value
        if tag in ("br", "img", "input", "a", "html"):
            self._open_inline(token)
        elif tag in _STRUCK:
            self._words.append(_STRIKE)
        elif tag in _BLOCKS:
            self._end_block()
            if tag == "table":
                if self._tables:
                    self._dissolve_table()
                self._tables.append(HtmlTable())
            elif self._tables and tag in ("tr", "td", "th", "thead", "tbody", "tfoot"):
                self._tables[-1].open_tag(tag, token)
            elif self._tables and tag in _HEADINGS:
                self._dissolve_table()
            self._tag = tag
            self._pre += tag == "pre"

    def _open_inline(self, token: HtmlToken) -> None:
        tag = token.value
        if tag == "br":
            self._words.append(_BREAK)
            return
        attributes = token.read_attributes()
        if tag == "html":
            self._out.language = attributes.get("lang", "").partition("-")[0].lower()[:8] or None
        elif tag == "img":
            self._words.append(f" {attributes.get('alt', '')} ")
        elif tag == "a":
            target = attributes.get("href", "").strip()
            told = target.startswith(("mailto:", "tel:")) or target.lower().partition("?")[0].endswith(_FILES)
            self._links.append(target if told else "")
        elif attributes.get("type", "").lower() in _FIELDS:
            self._words.append(f" {attributes.get('value', '')} ")

    def _close_tag(self, tag: str) -> None:
        if tag == "a" and self._links:
            target = self._links.pop()
            if target and target.rpartition(":")[2] not in "".join(self._words[-20:]):
                self._words.append(f" ({target})")
        elif tag in _STRUCK:
            self._words.append(_STRIKE)
        elif tag in _BLOCKS:
            self._end_block()
            self._pre = max(0, self._pre - (tag == "pre"))
            if tag == "table" and self._tables:
                self._end_table()
            elif tag in ("tr", "td", "th") and self._tables:
                self._tables[-1].close_tag(tag)
            self._tag = ""

    def _end_block(self) -> None:
        words = self._take_words()
        if not words:
            return
        table = self._tables[-1] if self._tables else None
        if table is not None and table.add_words(words):
            return
        if self._tag == "title":
            self._page_title = self._page_title or words
        elif self._tag in _HEADINGS:
            self._out.add_heading(_HEADINGS[self._tag], words)
        else:
            self._out.add(words, "code" if self._pre else "item" if self._tag in _ITEMS else "text")

    def _end_table(self) -> None:
        table = self._tables.pop()
        rows, headed = table.finish()
        self._out.add_table(rows, headed=headed)

    def _dissolve_table(self) -> None:
        """Make blocks of a table that lays a page out: one with headings or another table in a cell."""
        for words in self._tables[-1].dissolve():
            self._out.add(words)

    def _take_words(self) -> str:
        words, self._words = "".join(self._words), []
        if self._pre:
            kept = clean(words.replace(_BREAK, "\n"))
            return kept.strip("\n") if kept.strip() else ""
        lines = (" ".join(clean(line).split()) for line in words.split(_BREAK))
        return "\n".join(line for line in lines if line)
