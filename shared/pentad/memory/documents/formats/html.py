"""Render HTML as text, with its headings, paragraphs, list items, table rows and preformatted blocks."""

from pentad.memory.documents.formats.html_tokens import HtmlTokens
from pentad.memory.documents.structure import Kind, ParsedBlock, clean

_SKIPPED = frozenset({"script", "style", "template", "noscript"})
_BREAK = "\x00"  # a line break to keep; no document holds one, see clean()
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body dd details div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 head header hr html legend li main nav ol p pre section summary"
    " table tbody td tfoot th thead title tr ul".split()
)


def parse_html(text: str) -> tuple[str, list[ParsedBlock]]:
    """Return the rendered text and its blocks."""
    reader = _Reader()
    for token in HtmlTokens(text):
        if token.kind == "start":
            reader.open_tag(token.value)
        elif token.kind == "end":
            reader.close_tag(token.value)
        else:
            reader.add_words(token.value)
    reader.finish()
    return reader.render()


class _Reader:
    """Collects blocks: whatever stands between two block-level tags is one."""

    def __init__(self) -> None:
        self._found: list[tuple[str, Kind, tuple[str, ...]]] = []
        self._words: list[str] = []
        self._path: list[tuple[int, str]] = []
        self._page_title = ""
        self._skipping = ""
        self._tag = ""
        self._pre = 0
        self._cells: list[str] | None = None

    def open_tag(self, tag: str) -> None:
        """Open a block, a row or a cell."""
        if self._skipping:
            return
        if tag in _SKIPPED:
            self._skipping = tag
        elif tag == "br":
            self._words.append(_BREAK)
        elif tag == "tr":
            self._end_block()
            self._end_row()
            self._cells = []
        elif tag in _BLOCKS:
            self._end_block()
            self._tag = tag
            self._pre += tag == "pre"

    def close_tag(self, tag: str) -> None:
        """Close what was opened; end tags of nothing are ignored."""
        if self._skipping:
            if tag == self._skipping:
                self._skipping = ""
        elif tag in _BLOCKS:
            self._end_block()
            self._pre = max(0, self._pre - (tag == "pre"))
            if tag in ("tr", "table"):
                self._end_row()
            self._tag = ""

    def add_words(self, data: str) -> None:
        """Collect words."""
        if not self._skipping:
            self._words.append(data)

    def finish(self) -> None:
        """Close what the document left open."""
        self._end_block()
        self._end_row()

    def render(self) -> tuple[str, list[ParsedBlock]]:
        """Return the text and its blocks."""
        parts: list[str] = []
        blocks: list[ParsedBlock] = []
        position = 0
        for index, (words, kind, path) in enumerate(self._found):
            if index:
                joint = "\n" if kind in ("item", "row") and self._found[index - 1][1] == kind else "\n\n"
                parts.append(joint)
                position += len(joint)
            parts.append(words)
            blocks.append(ParsedBlock(position, position + len(words), kind, path or self._get_root_path()))
            position += len(words)
        return "".join(parts), blocks

    def _get_root_path(self) -> tuple[str, ...]:
        return (self._page_title,) if self._page_title else ()

    def _end_block(self) -> None:
        words = self._take()
        if not words:
            return
        if self._cells is not None:
            self._cells.append(words)
        elif self._tag == "title":
            self._page_title = self._page_title or words
        elif self._tag in _HEADINGS:
            level = _HEADINGS[self._tag]
            self._path = [(above, title) for above, title in self._path if above < level]
            self._path.append((level, words))
            self._add(words, "heading")
        else:
            self._add(words, "code" if self._pre else "item" if self._tag in ("li", "dt", "dd") else "text")

    def _end_row(self) -> None:
        cells, self._cells = self._cells, None
        if cells:
            self._add(" | ".join(cells), "row")

    def _add(self, words: str, kind: Kind) -> None:
        self._found.append((words, kind, tuple(title for _, title in self._path)))

    def _take(self) -> str:
        words, self._words = "".join(self._words), []
        if self._pre:
            kept = clean(words.replace(_BREAK, "\n"))
            return kept.strip("\n") if kept.strip() else ""
        lines = (" ".join(clean(line).split()) for line in words.split(_BREAK))
        return "\n".join(line for line in lines if line)
