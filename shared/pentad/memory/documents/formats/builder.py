"""Collect what a parser finds, in order, as text with blocks."""

from collections.abc import Sequence

from pentad.memory.documents.structure import MAX_CHARACTERS, Kind, ParsedBlock, ParsedText, clean, refuse_long

_CLOSE: tuple[Kind, ...] = ("item", "row")


class TextBuilder:
    """Makes the text of a document that is rendered: its words, and the headings, header and page of each block."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.language: str | None = None
        self.page: int | None = None
        self._parts: list[str] = []
        self._blocks: list[ParsedBlock] = []
        self._path: list[tuple[int, str]] = []
        self._titles: tuple[str, ...] = ()
        self._length = 0

    def __bool__(self) -> bool:
        """Tell if there is anything."""
        return bool(self._blocks)

    def add_heading(self, level: int, words: str) -> None:
        """Add a heading; what follows is below it. Level 0 is the highest."""
        title = " ".join(clean(words).split())
        if title:
            self.open_section(level, title)
            self.add(title, "heading")

    def open_section(self, level: int, title: str) -> None:
        """Put what follows below a title that is no text of its own."""
        self._path = [(above, name) for above, name in self._path if above < level]
        self._path.append((level, title))
        self._titles = tuple(name for _, name in self._path)

    def add(self, words: str, kind: Kind = "text", *, header: str = "") -> None:
        """Add a block, if it has words.

        Raises:
            InvalidInput: the document is too long.
        """
        if not words.isprintable():
            words = clean(words)
        words = words.strip("\n") if kind == "code" and words.strip() else words.strip()
        if not words:
            return
        if self._blocks:
            joint = "\n" if kind in _CLOSE and self._blocks[-1].kind == kind else "\n\n"
            self._parts.append(joint)
            self._length += len(joint)
        start, self._length = self._length, self._length + len(words)
        if self._length > MAX_CHARACTERS:
            refuse_long(self._length)
        self._parts.append(words)
        self._blocks.append(ParsedBlock(start, self._length, kind, self._titles, header, self.page))

    def add_table(self, rows: Sequence[Sequence[str]], *, headed: int | None = None) -> None:
        """Add a table, a row a line. Each cell keeps its column, and rows carry the table's header.

        Args:
            rows: the cells, as many in each row.
            headed: how many of the first rows name the columns; None to tell by what is in them.
        """
        lines = [render_row(row) for row in rows]
        count = find_header(rows) if headed is None else headed
        header = "\n".join(line for line in lines[:count] if line)
        for index, line in enumerate(lines):
            self.add(line, "row", header=header if index >= count else "")

    def finish(self, *, root: str = "") -> ParsedText:
        """Return what was collected.

        Args:
            root: the path of blocks that have none.
        """
        blocks = self._blocks
        if root:
            blocks = [one if one.path else _move(one, (root,)) for one in blocks]
        return ParsedText("".join(self._parts), blocks, tuple(self.notes), self.language)


def render_row(cells: Sequence[str]) -> str:
    """Return a row as a line in which each cell has its column; empty cells at the end are left out."""
    words = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
    while words and not words[-1]:
        words.pop()
    return " | ".join(words)


def find_header(rows: Sequence[Sequence[str]]) -> int:
    """Return 1 where the first row of a table seems to name its columns, else 0."""
    if len(rows) < 3 or len(rows[0]) < 2:
        return 0
    return int(all(cell.strip() and not cell.strip()[0].isdigit() for cell in rows[0]))


def _move(block: ParsedBlock, path: tuple[str, ...]) -> ParsedBlock:
    return ParsedBlock(block.start, block.end, block.kind, path, block.header, block.page)
