"""HTML: read without running or fetching anything; to Markdown, its tables to rows, and rows to a table."""

import html
import re
from html.parser import HTMLParser

from pentad.tools.builtin.formats.markdown_text import choose_tables
from pentad.tools.builtin.formats.rows import make_table
from pentad.tools.builtin.formats.tree import (
    MAX_DEPTH,
    MAX_NODES,
    Losses,
    Node,
    make_content_error,
    make_depth_error,
)

_TAG = re.compile(r"""</?[a-zA-Z][^<>"']*+(?:(?:"[^"]*+"|'[^']*+')[^<>"']*+)*+>""")
_LONGEST_TAG = 10_000
_MOST_FAILURES = 2_000
_SILENT = {"script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object", "select", "textarea"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_BLOCKS = {"p", "div", "section", "article", "main", "header", "footer", "nav", "aside", "figure", "dl", "dt", "dd",
           "form", "fieldset", "address", "details", "summary", "figcaption", "caption"}  # fmt: skip
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "s": "~~"}
_SAFE_LINK = re.compile(r"(?:https?://|mailto:|tel:|[#/?.]|[\w-]+(?:[/.#?]|$))[^\s<>]*", re.IGNORECASE)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")
_LINE_START = re.compile(r"(?m)^(\s*)([-+#]|\d+[.)])(?=\s)")


def write_html(root: Node, losses: Losses) -> str:
    """Return a tree as an HTML table: a list of objects has a row each."""
    table = make_table(root, losses)
    lines = ["<table>"]
    if table.columns:
        lines.append(f"<thead><tr>{''.join(f'<th>{html.escape(name)}</th>' for name in table.columns)}</tr></thead>")
    lines.append("<tbody>")
    for row in table.rows:
        cells = "".join(f"<td>{'<br>'.join(html.escape(cell).splitlines())}</td>" for cell in row)
        lines.append(f"<tr>{cells}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>", ""])


def clean_markup(text: str, losses: Losses) -> str:
    """Return HTML in which every ``<`` begins a whole tag: comments are removed, any other ``<`` is text.

    The standard library's parser takes time that grows with the square of a text full of tags without an end.

    Raises:
        InvalidInput: very many tags have no end.
    """
    parts: list[str] = []
    place, failures = 0, 0
    while (begin := text.find("<", place)) >= 0:
        parts.append(text[place:begin])
        if text.startswith(("<!", "<?"), begin):
            closing = "-->" if text.startswith("<!--", begin) else ">"
            end = text.find(closing, begin)
            losses.note("comments and declarations are not kept")
            if end < 0:
                return "".join(parts)
            place = end + len(closing)
            continue
        tag = _TAG.match(text, begin, begin + _LONGEST_TAG)
        if tag is None:
            failures += 1
            if failures > _MOST_FAILURES:
                raise make_content_error("very many tags in it have no end", "give HTML that is whole")
        parts.append("&lt;" if tag is None else tag[0])
        place = begin + 1 if tag is None else tag.end()
    return "".join([*parts, text[place:]])


class _MarkupReader(HTMLParser):
    """Keeps track of where it is: what is silent, how deep, and how much."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._silent: str | None = None
        self._silent_depth = 0
        self._left = MAX_NODES

    def _enter(self, tag: str) -> bool:
        """Count a tag, and tell whether what it begins is read."""
        self._left -= 1
        if self._left < 0:
            raise make_content_error(f"it has more than {MAX_NODES:,} tags", "convert a part of it")
        if self._silent == tag:
            self._silent_depth += 1
        elif self._silent is None and tag in _SILENT:
            self._silent, self._silent_depth = tag, 1
            return False
        return self._silent is None

    def _leave(self, tag: str) -> bool:
        if self._silent is None:
            return True
        if self._silent == tag:
            self._silent_depth -= 1
            if not self._silent_depth:
                self._silent = None
        return False


class _TableReader(_MarkupReader):
    """The cells of tables; a table within a cell is text of the cell."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.other = False
        self._depth = 0
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._enter(tag):
            return
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append([])
        elif self._depth == 1 and tag == "tr":
            self._close_cell()
            self.tables[-1].append([])
        elif self._depth == 1 and tag in ("td", "th"):
            self._close_cell()
            if not self.tables[-1]:
                self.tables[-1].append([])
            self._cell = []
        elif self._cell is not None and tag in ("br", "p", "li", "div"):
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if not self._leave(tag):
            return
        if tag in ("td", "th") and self._depth == 1:
            self._close_cell()
        elif tag == "table" and self._depth:
            if self._depth == 1:
                self._close_cell()
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._silent is not None:
            return
        if self._cell is not None:
            self._cell.append(data)
        elif data.strip():
            self.other = True

    def _close_cell(self) -> None:
        if self._cell is not None:
            self.tables[-1][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None


def read_html(text: str, losses: Losses) -> Node:
    """Return the rows of the one table of an HTML text, or the list of all tables' rows.

    Raises:
        InvalidInput: there is no table, or a bound is passed.
    """
    reader = _TableReader()
    reader.feed(clean_markup(text, losses))
    reader.close()
    tables = [[row for row in table if row] for table in reader.tables]
    return choose_tables([table for table in tables if table], reader.other, losses)


class _MarkdownWriter(_MarkupReader):
    """Writes blocks as they close; inline text gathers in the innermost open one."""

    def __init__(self, losses: Losses) -> None:
        super().__init__()
        self._losses = losses
        self.blocks: list[str] = []
        self._text: list[str] = []
        self._lists: list[int | None] = []  # the next number, or None for bullets
        self._quotes = 0
        self._item = ""
        self._links: list[str | None] = []
        self._pre = False
        self._code = False
        self._heading = 0
        self._row: list[str] | None = None
        self._rows = 0
        self._in_cell = False

    def finish(self) -> str:
        self._flush()
        return re.sub(r"\n{3,}", "\n\n", "".join(self.blocks)).strip("\n") + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._enter(tag):
            self._losses.note("scripts, styles, forms' fields and embedded objects are not kept")
            return
        given = {name: value or "" for name, value in attrs}
        if tag in _MARKS and not self._pre:
            self._text.append(_MARKS[tag])
        elif tag == "a":
            self._begin_link(given.get("href", ""))
        elif tag == "img":
            self._add_image(given)
        elif tag == "code" and not self._pre:
            self._code = True
            self._text.append("`")
        elif tag == "br":
            self._text.append("<br>" if self._row is not None else "\n" if self._pre else "  \n")
        else:
            self._begin_block(tag, given)

    def _begin_block(self, tag: str, given: dict[str, str]) -> None:
        if tag in _BLOCKS and self._row is None:
            self._flush()
        elif re.fullmatch("h[1-6]", tag):
            self._flush()
            self._heading = int(tag[1])
        elif tag in ("ul", "ol"):
            self._begin_list(tag, given)
        elif tag == "li":
            self._flush()
            self._item = self._make_bullet()
        elif tag == "blockquote":
            self._flush()
            self._quotes += 1
            self._check_depth()
        elif tag == "pre":
            self._flush()
            self._pre = True
        elif tag == "hr":
            self._flush()
            self._write_block("---")
        else:
            self._begin_table_part(tag)

    def _begin_table_part(self, tag: str) -> None:
        if tag == "table":
            self._flush()
            self._rows = 0
        elif tag == "tr":
            self._end_row()
            self._row = []
        elif tag in ("td", "th") and self._row is not None:
            self._end_cell()
            self._in_cell = True

    def _begin_list(self, tag: str, given: dict[str, str]) -> None:
        self._flush()
        start = given.get("start", "1")
        self._lists.append(None if tag == "ul" else int(start) if re.fullmatch(r"[0-9]{1,9}", start) else 1)
        self._check_depth()

    def _check_depth(self) -> None:
        if len(self._lists) + self._quotes > MAX_DEPTH:
            raise make_depth_error()

    def _make_bullet(self) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        number = self._lists[-1]
        self._lists[-1] = number + 1
        return f"{number}. "

    def handle_endtag(self, tag: str) -> None:
        if not self._leave(tag) or tag in _VOID:
            return
        if tag in _MARKS and not self._pre:
            self._text.append(_MARKS[tag])
        elif tag == "a":
            target = self._links.pop() if self._links else None
            self._text.append(f"]({target})" if target else "")
        elif tag == "code" and not self._pre:
            self._code = False
            self._text.append("`")
        else:
            self._end_block(tag)

    def _end_block(self, tag: str) -> None:
        if tag == "pre":
            self._end_pre()
        elif tag in ("ul", "ol"):
            self._flush()
            if self._lists:
                self._lists.pop()
            if not self._lists:
                self.blocks.append("\n")
        elif tag == "blockquote":
            self._flush()
            self._quotes = max(0, self._quotes - 1)
        elif tag in ("td", "th") and self._row is not None:
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag == "table":
            self._end_row()
            self.blocks.append("\n")
        elif (tag in _BLOCKS or tag == "li" or re.fullmatch("h[1-6]", tag)) and self._row is None:
            self._flush()

    def _end_cell(self) -> None:
        """Put the text since the cell began into the row; text between cells is dropped, as browsers move it away."""
        if self._in_cell and self._row is not None:
            self._row.append(" ".join("".join(self._text).split()))
        self._text, self._in_cell = [], False

    def _end_row(self) -> None:
        if self._row is None:
            return
        self._end_cell()
        cells, self._row = self._row, None
        if not cells:
            return
        self.blocks.append(f"{self._margin()}| {' | '.join(cells)} |\n")
        if not self._rows:
            self.blocks.append(f"{self._margin()}|{' --- |' * len(cells)}\n")
        self._rows += 1

    def _end_pre(self) -> None:
        text = "".join(self._text).strip("\n")
        self._text, self._pre = [], False
        runs = max((len(run) for run in re.findall("`+", text)), default=0)
        fence = "`" * max(3, runs + 1)
        self._write_block(f"{fence}\n{text}\n{fence}")

    def _begin_link(self, target: str) -> None:
        target = target.strip()
        safe = _SAFE_LINK.fullmatch(target) is not None and "(" not in target and ")" not in target
        if target and not safe:
            safe_target = target.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
            safe = _SAFE_LINK.fullmatch(safe_target) is not None
            target = safe_target
        if target and not safe:
            self._losses.note("links that run scripts or hold data are not kept, only their text")
        self._links.append(target if safe else None)
        self._text.append("[" if safe else "")

    def _add_image(self, given: dict[str, str]) -> None:
        source, words = given.get("src", "").strip(), given.get("alt", "")
        if _SAFE_LINK.fullmatch(source) and "(" not in source and ")" not in source:
            self._text.append(f"![{_escape_words(' '.join(words.split()))}]({source})")
        else:
            self._losses.note("images without an address that can be linked are not kept")

    def handle_data(self, data: str) -> None:
        if self._silent is not None:
            return
        if self._pre or self._code:
            self._text.append(data if self._pre else data.replace("`", "'"))
            return
        words = re.sub(r"\s+", " ", data)
        self._text.append(_escape_words(words))

    def _flush(self) -> None:
        text = "".join(self._text).strip()
        self._text = []
        heading, self._heading = self._heading, 0
        if not text:
            return
        if heading:
            text = f"{'#' * heading} {' '.join(text.split())}"
        else:
            text = _LINE_START.sub(r"\1\\\2", text) if not self._item else text
        self._write_block(text)

    def _margin(self) -> str:
        return "> " * self._quotes + "  " * max(0, len(self._lists) - 1)

    def _write_block(self, text: str) -> None:
        first, item = self._margin(), self._item
        rest = first + " " * len(item) if item else first + ("  " if self._lists else "")
        lines = text.split("\n")
        begin = first + item if item else rest
        self.blocks.append("\n".join([begin + lines[0], *(rest + line for line in lines[1:])]))
        self.blocks.append("\n" if self._lists else f"\n{'> ' * self._quotes}\n" if self._quotes else "\n\n")
        self._item = ""


def _escape_words(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", words)


def write_markdown_of_html(text: str, losses: Losses) -> str:
    """Return HTML as Markdown: headings, lists, quotes, code, tables, links and images; never HTML.

    Raises:
        InvalidInput: a bound is passed.
    """
    writer = _MarkdownWriter(losses)
    writer.feed(clean_markup(text, losses))
    writer.close()
    losses.note("layout, styles and attributes are not kept")
    return writer.finish()
