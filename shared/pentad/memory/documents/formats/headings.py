"""Find the headings of reStructuredText and AsciiDoc. The text stays as it is, in paragraphs."""

import re
from collections.abc import Iterator

from pentad.memory.documents.structure import Kind, ParsedBlock, ParsedText

_RST_LINE = re.compile(r"([=\-`:.'\"~^_*+#<>!$%&(),/;?@\[\\\]{|}])\1{2,}[ \t]*")
_ASCIIDOC_TITLE = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_ASCIIDOC_UNDER = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_FENCE = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|```.*|\|===)[ \t]*")
_CODE = ("-", ".", "`", "+")


def parse_rst(text: str) -> ParsedText:
    """Return reStructuredText as it is; a line of punctuation below a title, or above and below, makes a heading."""
    blocks: list[ParsedBlock] = []
    path: list[tuple[int, str]] = []
    styles: list[str] = []
    for start, lines in _iter_paragraphs(text):
        title, style, used = _find_rst_title(lines)
        if title:
            if style not in styles:
                styles.append(style)
            path = _open(path, styles.index(style), title)
            start = _add(blocks, start, lines[:used], "heading", path)
        if lines[used:]:
            indented = all(line[:1] in " \t" for line in lines[used:])
            _add(blocks, start, lines[used:], "code" if indented else "text", path)
    return ParsedText(text, blocks)


def parse_asciidoc(text: str) -> ParsedText:
    """Return AsciiDoc as it is; ``== Title``, or a line below a title, makes a heading; listings are code."""
    blocks: list[ParsedBlock] = []
    path: list[tuple[int, str]] = []
    fence: str | None = None
    for start, lines in _iter_paragraphs(text):
        if fence is None and (found := _ASCIIDOC_TITLE.fullmatch(lines[0].rstrip())):
            path = _open(path, len(found[1]), found[2].strip())
            start = _add(blocks, start, lines[:1], "heading", path)
            lines = lines[1:]
        elif fence is None and len(lines) > 1 and (level := _find_underline(lines[0], lines[1])):
            path = _open(path, level, lines[0].strip())
            start = _add(blocks, start, lines[:2], "heading", path)
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
        _add(blocks, start, lines, "code" if is_code else "text", path)
    return ParsedText(text, blocks)


def _find_rst_title(lines: list[str]) -> tuple[str, str, int]:
    """Return the title that a paragraph begins with, its style, and how many lines it has."""
    rows = [line.rstrip("\n") for line in lines[:3]]
    if len(rows) == 3 and _RST_LINE.fullmatch(rows[0]) and rows[2].strip() == rows[0].strip() and rows[1].strip():
        return rows[1].strip(), rows[0][0] * 2, 3
    if len(rows) > 1 and rows[0].strip() and not rows[0][0].isspace() and _RST_LINE.fullmatch(rows[1]):
        if len(rows[1].strip()) >= min(len(rows[0].strip()), 8) and not _RST_LINE.fullmatch(rows[0]):
            return rows[0].strip(), rows[1][0], 2
    return "", "", 0


def _find_underline(title: str, line: str) -> int:
    title, line = title.strip(), line.strip()
    same = len(set(line)) == 1 and len(line) > 3 and abs(len(line) - len(title)) <= 2 and title[:1].isalnum()
    return _ASCIIDOC_UNDER.get(line[0], 0) if same else 0


def _iter_paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    position, start = 0, 0
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.strip():
            start = start if lines else position
            lines.append(line)
        elif lines:
            yield start, lines
            lines = []
        position += len(line)
    if lines:
        yield start, lines


def _open(path: list[tuple[int, str]], level: int, title: str) -> list[tuple[int, str]]:
    return [*((above, name) for above, name in path if above < level), (level, title)]


def _add(blocks: list[ParsedBlock], start: int, lines: list[str], kind: Kind, path: list[tuple[int, str]]) -> int:
    end = start + sum(map(len, lines))
    blocks.append(ParsedBlock(start, end, kind, tuple(title for _, title in path)))
    return end
