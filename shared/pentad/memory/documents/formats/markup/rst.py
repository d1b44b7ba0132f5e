"""Find the headings of reStructuredText. The text stays, in paragraphs, but for what nobody sees of it."""

import re

from pentad.memory.documents.formats.markup.outline import add_block, iter_paragraphs, open_section
from pentad.memory.documents.formats.markup.rst_unseen import find_unseen_rst
from pentad.memory.documents.formats.markup.unseen import cut_out
from pentad.memory.documents.structure import ParsedBlock, ParsedText

_RST_LINE = re.compile(r"([=\-`:.'\"~^_*+#<>!$%&(),/;?@\[\\\]{|}])\1{2,}[ \t]*")


def parse_rst(text: str) -> ParsedText:
    """Return reStructuredText as it is, but for what its pages do not show.

    A line of punctuation below a title, or above and below, makes a heading.
    """
    unseen = find_unseen_rst(text)
    text = cut_out(text, unseen.places)
    blocks: list[ParsedBlock] = []
    path: list[tuple[int, str]] = []
    styles: list[str] = []
    for start, lines in iter_paragraphs(text):
        title, style, used = _find_rst_title(lines)
        if title:
            if style not in styles:
                styles.append(style)
            path = open_section(path, styles.index(style), title)
            start = add_block(blocks, start, lines[:used], "heading", path)
        if lines[used:]:
            indented = all(line[:1] in " \t" for line in lines[used:])
            add_block(blocks, start, lines[used:], "code" if indented else "text", path)
    return ParsedText(text, blocks, tuple(unseen.notes))


def _find_rst_title(lines: list[str]) -> tuple[str, str, int]:
    """Return the title that a paragraph begins with, its style, and how many lines it has."""
    rows = [line.rstrip("\n") for line in lines[:3]]
    if len(rows) == 3 and _RST_LINE.fullmatch(rows[0]) and rows[2].strip() == rows[0].strip() and rows[1].strip():
        return rows[1].strip(), rows[0][0] * 2, 3
    if len(rows) > 1 and rows[0].strip() and not rows[0][0].isspace() and _RST_LINE.fullmatch(rows[1]):
        if len(rows[1].strip()) >= min(len(rows[0].strip()), 8) and not _RST_LINE.fullmatch(rows[0]):
            return rows[0].strip(), rows[1][0], 2
    return "", "", 0
