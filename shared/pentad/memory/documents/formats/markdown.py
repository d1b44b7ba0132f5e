"""Find the structure of Markdown: headings, paragraphs, items, rows, code. The text stays, but for what is hidden."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from markdown_it import MarkdownIt

from pentad.memory.documents.formats.web.html_styles import is_hidden_by
from pentad.memory.documents.structure import Kind, ParsedBlock, ParsedText

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?:.*\n){0,200}?---[ \t]*(?:\n|\Z)")
_LINK = re.compile(r"!?\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\])?")
_TAG = re.compile(r"<([a-z][a-z0-9]{0,20})(\s[^<>]{0,1000})>", re.IGNORECASE)
_HIDDEN = re.compile(r"\shidden(?=[\s=/]|\Z)", re.IGNORECASE)
_STYLE = re.compile(r"\sstyle\s{0,5}=\s{0,5}(\"[^\"]*|'[^']*|[^\s\"']+)", re.IGNORECASE)
_HEADING_CHARACTERS = 1000
_KINDS: dict[str, Kind] = {
    "paragraph_open": "text",
    "tr_open": "row",
    "fence": "code",
    "code_block": "code",
    "html_block": "text",
}


@cache
def _get_parser() -> MarkdownIt:
    # Only blocks matter here; inline markup is left in the text.
    return MarkdownIt("commonmark").enable("table").disable("inline")


def parse_markdown(text: str) -> ParsedText:
    """Return the text and its blocks. A heading in a quote or a list opens no section.

    The text stays as it is but for comments and hidden elements: no reader of the rendered page sees them.
    """
    blocks = _find_blocks(text)
    words = [one for one in blocks if one.kind != "code"]
    comments = [place for one in words for place in _find_comments(text, one.start, one.end)]
    hidden = list(_find_hidden(text, words))
    if not comments and not hidden:
        return ParsedText(text, blocks)
    notes = [f"comments were left out: {len(comments):,}"] if comments else []
    notes += [f"hidden elements were left out: {len(hidden):,}"] if hidden else []
    kept, position = [], 0
    for start, end in sorted([*comments, *hidden]):
        kept.append(text[position : max(start, position)])
        position = max(end, position)
    text = "".join([*kept, text[position:]])
    return ParsedText(text, _find_blocks(text), tuple(notes))


def _find_hidden(text: str, words: Iterable[ParsedBlock]) -> Iterator[tuple[int, int]]:
    """Yield where elements stand that HTML hides from readers, up to the first end tag of their kind."""
    position, endless = 0, set[str]()
    for one in words:
        for found in _TAG.finditer(text, one.start, one.end):
            name = found[1].lower()
            if found.start() < position or name in endless or not _is_hidden(text, found):
                continue
            end = re.compile(rf"</{name}\s{{0,20}}>", re.IGNORECASE).search(text, found.end())
            if end is None:  # the page would show nothing after it: a slip more likely than a door
                endless.add(name)
                continue
            position = end.end()
            yield found.start(), position


def _is_hidden(text: str, tag: re.Match[str]) -> bool:
    if text[tag.start() - 1 : tag.start()] == "`":
        return False
    style = _STYLE.search(tag[2])
    return bool(_HIDDEN.search(tag[2])) or (style is not None and is_hidden_by(style[1].lstrip("\"'")))


def _find_blocks(text: str) -> list[ParsedBlock]:
    front = _FRONT_MATTER.match(text)
    base = front.end() if front else 0
    starts = _find_line_starts(text, base)
    blocks: list[ParsedBlock] = [ParsedBlock(0, base, "text")] if front else []
    path: list[tuple[int, str]] = []
    tokens = _get_parser().parse(text[base:])
    header = ""
    for index, token in enumerate(tokens):
        if token.map is None:
            continue
        start, end = starts[token.map[0]], starts[min(token.map[1], len(starts) - 1)]
        kind = _KINDS.get(token.type)
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
    return blocks


def _find_comments(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where comments stand in a block; what has no end is none, and neither is one in code."""
    position = start
    while (begin := text.find("<!--", position, end)) >= 0:
        after = text.find("-->", begin + 4, end)
        if after < 0:
            return
        position = after + 3
        if text[begin - 1 : begin] != "`":
            yield begin, position


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
