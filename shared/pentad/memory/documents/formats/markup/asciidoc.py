"""Find the headings of AsciiDoc. The text stays, in paragraphs, but for what nobody sees of it."""

import re

from pentad.memory.documents.formats.markup.asciidoc_unseen import find_unseen_asciidoc
from pentad.memory.documents.formats.markup.outline import add_block, iter_paragraphs, open_section
from pentad.memory.documents.formats.markup.unseen import cut_out
from pentad.memory.documents.structure import ParsedBlock, ParsedText

_ASCIIDOC_TITLE = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_ASCIIDOC_UNDER = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_FENCE = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|```.*|\|===)[ \t]*")
_CODE = ("-", ".", "`", "+")


def parse_asciidoc(text: str) -> ParsedText:
    """Return AsciiDoc as it is, but for what its pages do not show.

    ``== Title``, or a line below a title, makes a heading; listings are code.
    """
    unseen = find_unseen_asciidoc(text)
    text = cut_out(text, unseen.places)
    blocks: list[ParsedBlock] = []
    path: list[tuple[int, str]] = []
    fence: str | None = None
    for start, lines in iter_paragraphs(text):
        if fence is None and (found := _ASCIIDOC_TITLE.fullmatch(lines[0].rstrip())):
            path = open_section(path, len(found[1]), found[2].strip())
            start = add_block(blocks, start, lines[:1], "heading", path)
            lines = lines[1:]
        elif fence is None and len(lines) > 1 and (level := _find_underline(lines[0], lines[1])):
            path = open_section(path, level, lines[0].strip())
            start = add_block(blocks, start, lines[:2], "heading", path)
            lines = lines[2:]
        if not lines:
            continue
        is_code = fence is not None
        for line in lines:
            mark = line.strip()
            if fence is not None:
                fence = None if mark == fence else fence
            elif _FENCE.fullmatch(mark):
                fence = "```" if mark.startswith("```") else mark
                is_code = is_code or mark[0] in _CODE
        add_block(blocks, start, lines, "code" if is_code else "text", path)
    return ParsedText(text, blocks, tuple(unseen.notes))


def _find_underline(title: str, line: str) -> int:
    title, line = title.strip(), line.strip()
    same = len(set(line)) == 1 and len(line) > 3 and abs(len(line) - len(title)) <= 2 and title[:1].isalnum()
    return _ASCIIDOC_UNDER.get(line[0], 0) if same else 0
