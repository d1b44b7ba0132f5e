"""Markdown: to HTML by markdown-it with HTML in it shown as text; tables to rows, and rows to a table."""

import re

from markdown_it import MarkdownIt

from pentad.tools.builtin.formats.rows import TextTable, make_rows, make_table
from pentad.tools.builtin.formats.tree import MAX_NODES, Losses, Node, make_content_error, make_depth_error

_MOST_BRACKETS = 5_000
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_LINKED = frozenset({"http", "https", "mailto", "tel"})
_SPECIAL = re.compile(r"([\\`*\[\]<>|~]|&(?=[#\w])|(?<!\w)_|_(?!\w))")
_OTHER = {"heading_open", "paragraph_open", "fence", "code_block", "bullet_list_open", "ordered_list_open"}


def _make_parser(text: str, losses: Losses) -> MarkdownIt:
    def is_link(url: str) -> bool:
        scheme = _SCHEME.match(url)
        if scheme is None or scheme[1].lower() in _LINKED:
            return True
        losses.note("links and images other than http, https, mailto and tel are kept as text")
        return False

    if text.count("[") > _MOST_BRACKETS:  # the parser's time grows with their square
        raise make_content_error(f"it has more than {_MOST_BRACKETS:,} brackets '['", "convert a part of it")
    # Raw HTML becomes text. markdown-it's own check of links lets images through that are data.
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 40}).enable(["table", "strikethrough"])
    parser.validateLink = is_link  # type: ignore[method-assign]
    return parser


def write_html_of_markdown(text: str, losses: Losses) -> str:
    """Return Markdown (CommonMark, tables, strikethrough) as HTML.

    Raises:
        InvalidInput: it is nested too deeply.
    """
    try:
        rendered: str = _make_parser(text, losses).render(text)
    except RecursionError as error:
        raise make_depth_error() from error
    return rendered


def read_markdown(text: str, losses: Losses) -> Node:
    """Return the rows of the one table of a Markdown text, or the list of all tables' rows.

    Raises:
        InvalidInput: there is no table, or too many cells.
    """
    tokens = _make_parser(text, losses).parse(text)
    tables: list[list[list[str]]] = []
    cells = 0
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in ("th_open", "td_open"):
            cells += 1
            if cells > MAX_NODES:
                raise make_content_error(f"it has more than {MAX_NODES:,} cells", "convert a part of it")
            inline = tokens[place + 1]
            parts = [child.content or (" " if "break" in child.type else "") for child in inline.children or []]
            tables[-1][-1].append("".join(parts))
    within = _count_outside(tokens)
    return choose_tables(tables, within, losses)


def _count_outside(tokens: list) -> bool:  # type: ignore[type-arg]
    inside = False
    for token in tokens:
        if token.type in ("table_open", "table_close"):
            inside = token.type == "table_open"
        elif not inside and token.type in _OTHER:
            return True
    return False


def choose_tables(tables: list[list[list[str]]], other: bool, losses: Losses) -> Node:
    """Return the rows of one table, or a list of several tables' rows.

    Args:
        tables: the cells of each, its header first.
        other: there is text beside them, which is lost.
        losses: takes what is lost.

    Raises:
        InvalidInput: there is none.
    """
    if not tables:
        raise make_content_error("it holds no table, and only tables become data", "convert a text that has a table")
    if other:
        losses.note("text outside of tables is not kept")
    losses.note("all values are text, without their formatting")
    found = [make_rows(cells, losses, header=True) for cells in tables]
    if len(found) > 1:
        losses.note(f"{len(found)} tables became one list")
    return found[0] if len(found) == 1 else found


def write_markdown(root: Node, losses: Losses) -> str:
    """Return a tree as a Markdown table: a list of objects has a row each."""
    return show_markdown_table(make_table(root, losses))


def show_markdown_table(table: TextTable) -> str:
    """Return a table as Markdown; lines within a cell become ``<br>``, and what Markdown would read is escaped."""
    width = len(table.columns) or max((len(row) for row in table.rows), default=0)
    if not width:
        return ""
    lines = [table.columns or [""] * width, ["---"] * width, *table.rows]
    return "".join(f"| {' | '.join(_escape_cell(cell) for cell in line)} |\n" for line in lines)


def _escape_cell(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", text)
    return "<br>".join(escaped.splitlines()) if escaped else ""
