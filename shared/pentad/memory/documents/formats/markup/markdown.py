"""Find the structure of Markdown: headings, paragraphs, items, rows, code. The text stays, but for what is hidden."""

import re
from functools import cache

from markdown_it import MarkdownIt

from pentad.memory.documents.formats.markup.markdown_unseen import (
    MarkdownPart,
    find_odd_front_matter,
    find_unseen_markdown,
)
from pentad.memory.documents.formats.markup.unseen import cut_out
from pentad.memory.documents.structure import Kind, ParsedBlock, ParsedText

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(?:.*\n){0,2000}?(?:\1|\.\.\.)[ \t]*(?:\n|\Z)")
_LINK = re.compile(r"!?\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\])?")
_HEADING_CHARACTERS = 1000
_KINDS: dict[str, Kind] = {
    "paragraph_open": "text",
    "tr_open": "row",
    "fence": "code",
    "code_block": "code",
    "html_block": "text",
}
_PARTS = {
    "paragraph_open": "words",
    "heading_open": "words",
    "tr_open": "row",
    "fence": "code",
    "code_block": "code",
    "html_block": "html",
    "definition": "definition",
}


@cache
def _get_parser() -> MarkdownIt:
    # Only blocks matter here; inline markup is left in the text.
    return MarkdownIt("commonmark", {"inline_definitions": True}).enable("table").disable("inline")


def parse_markdown(text: str) -> ParsedText:
    """Return the text and its blocks. A heading in a quote or a list opens no section.

    The text stays as it is but for comments and hidden elements: no reader of the rendered page sees them.
    """
    blocks, parts = _find_blocks(text)
    front = _FRONT_MATTER.match(text)
    notes = find_odd_front_matter(front[0]) if front else ()
    unseen = find_unseen_markdown(text, parts)
    notes += tuple(unseen.notes)
    if not unseen.places:
        return ParsedText(text, blocks, notes)
    text = cut_out(text, unseen.places)
    return ParsedText(text, _find_blocks(text)[0], notes)


def _find_blocks(text: str) -> tuple[list[ParsedBlock], list[MarkdownPart]]:
    """Return a text's structure, and what each piece of it is read as."""
    front = _FRONT_MATTER.match(text)
    base = front.end() if front else 0
    starts = _find_line_starts(text, base)
    blocks: list[ParsedBlock] = [ParsedBlock(0, base, "text")] if front else []
    parts: list[MarkdownPart] = []
    path: list[tuple[int, str]] = []
    tokens = _get_parser().parse(text[base:])
    header = ""
    for index, token in enumerate(tokens):
        if token.map is None:
            continue
        start, end = starts[token.map[0]], starts[min(token.map[1], len(starts) - 1)]
        kind = _KINDS.get(token.type)
        part = _PARTS.get(token.type)
        if part is not None and (not parts or start >= parts[-1].end):
            parts.append(MarkdownPart(part, start, end, token.meta.get("label", ""), token.meta.get("url", "")))
        if token.type == "heading_open" and token.level == 0:
            level = int(token.tag[1])
            path = [(above, title) for above, title in path if above < level]
            path.append((level, heading_text(tokens[index + 1].content)))
            kind = "heading"
        elif token.type == "paragraph_open" and token.level > 0:
            kind = "item"
        elif token.type == "thead_open":
            header = ""
        above = header if kind == "row" else ""
        if kind == "row" and not header:
            header = text[start:end].strip()
        if kind is not None and (not blocks or start >= blocks[-1].end):
            blocks.append(ParsedBlock(start, end, kind, tuple(title for _, title in path), above))
    return blocks, parts


def heading_text(markup: str) -> str:
    """Return the words of a heading's beginning without emphasis, code marks and link targets."""
    markup = markup[:_HEADING_CHARACTERS]  # a title keeps less, and links are searched for at each bracket
    return " ".join(re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", _LINK.sub(r"\1", markup)).split())


def _find_line_starts(text: str, base: int) -> list[int]:
    """Return where each line begins from ``base`` on, and last where the text ends."""
    starts = [base, *(base + match.end() for match in re.finditer("\n", text[base:]))]
    if starts[-1] != len(text):
        starts.append(len(text))
    return starts
