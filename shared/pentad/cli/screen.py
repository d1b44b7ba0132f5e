"""The terminal: the one place where the command line prints. Text from outside can hide nothing and forge nothing.

A string is one line, and plain: a newline in it is shown as one, markup in it is text. Style comes from literal markup
with names for what is put in (`build_line`). Text of several lines stands behind a bar (`Quoted`), so none of it can
pass for a line of ours. Whatever is printed is marked once more on its way out, as `pentad.domain.display` says.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import chop_cells
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text, TextType

from pentad.domain.display.characters import format_json, mark_line, mark_text

_NAME: Final = re.compile(r"\{(\w+)\}")
_BAR: Final = "│ "
_NARROWEST: Final = 20  # columns of a quoted line, and of a cell that may be broken anywhere
_GAP: Final = 2  # columns between those of a table
_INDENT: Final = 4  # columns before what of a row did not fit into its first line
_UNBOUNDED: Final = 100_000


def format_count(count: int, word: str) -> str:
    """Return how many there are, of a word that forms its plural by rule.

    Args:
        count: how many.
        word: of one, such as "policy".
    """
    if count != 1:
        ends = word.endswith(("ch", "s", "sh", "x"))
        word = f"{word[:-1]}ies" if word[-2:] in ("cy", "ry", "ty") else f"{word}{'es' if ends else 's'}"
    return f"{count:,} {word}"


def choose_verb(count: int, one: str, more: str, *, of: int | None = None) -> str:
    """Return the form of a verb that agrees with how many there are, such as "is" or "are".

    Args:
        count: how many.
        one: the form for one.
        more: the form for none and for more.
        of: how many there are in all, where the count is a part: none of one "is".
    """
    return one if 1 in (count, of) else more


class Screen:
    """Prints to one stream.

    Args:
        stderr: to standard error instead of standard output.
        width: columns; None for the terminal's own.
    """

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        self._console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)
        self._console.push_render_hook(_Guard())

    @property
    def width(self) -> int:
        """Columns."""
        return self._console.width

    def print(self, shown: RenderableType, *, soft_wrap: bool = False) -> None:
        """Print one thing.

        Args:
            shown: a string, which is one plain line, or something to render.
            soft_wrap: leave it to the terminal to break long lines.
        """
        # Into a file or a pipe a line stays whole: who reads it next may search it.
        whole = soft_wrap or (isinstance(shown, str | Text) and not self._console.is_terminal)
        self._console.print(_as_line(shown), soft_wrap=whole, crop=self._console.is_terminal)

    def print_text(self, text: str) -> None:
        """Print text of several lines as it is, its hidden characters marked: an answer, which was asked for."""
        self._console.print(Text(mark_text(text)), soft_wrap=not self._console.is_terminal)

    def print_json(self, value: Any) -> None:
        """Print a value as JSON, its hidden characters as JSON's own escapes."""
        self._console.print(Text(format_json(value, indent=2)), soft_wrap=True)

    def print_json_line(self, value: Any) -> None:
        """Print a value as JSON on one line, for what comes one by one."""
        self._console.print(Text(format_json(value)), soft_wrap=True)

    def print_rule(self, title: str) -> None:
        """Print a heading with a rule."""
        self._console.rule(Text(mark_line(title), style="bold"), align="left")

    def ask(self, prompt: str) -> str:
        """Return what is typed behind a prompt."""
        return self._console.input(Text(mark_line(prompt)))

    def show_status(self, text: str) -> AbstractContextManager[Any]:
        """Show that something is under way, for as long as the context lasts."""
        return self._console.status(Text(mark_line(text)))

    def build_progress(self) -> Progress:
        """Return bars that show how far something is, and go at its end."""
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        return Progress(*columns, console=self._console, transient=True)


class Grid(Table):
    """A table without lines whose cells are each one line: no cell can pass for a row.

    Nothing is cut off. Where a terminal is too narrow for its columns, those that don't fit go on in further lines of
    each row, indented. What is not for a terminal has each row in one line. A table whose columns have widths keeps
    them.
    """

    def __init__(self, *headings: str, title: str | None = None) -> None:
        super().__init__(box=None, pad_edge=False, title=None if title is None else Text(mark_line(title)))
        self._lines: list[list[RenderableType]] = []
        for heading in headings:
            self.add_column(heading)

    def add_column(self, header: RenderableType = "", *args: Any, **options: Any) -> None:
        """Add a column; see rich."""
        super().add_column(_as_line(header), *args, **options)

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row; a string is plain."""
        self._lines.append(["" if cell is None else _as_line(cell) for cell in cells])
        super().add_row(*(None if cell is None else _as_line(cell) for cell in cells), **options)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich."""
        if not self._lines or any(column.width is not None for column in self.columns):
            yield from super().__rich_console__(console, options)
            return
        spans = [self._measure(console, options, place) for place in range(len(self.columns))]
        whole = sum(most for _, most in spans) + _GAP * len(spans)
        room = options.max_width if console.is_terminal else whole
        bands, wide = _pack_columns(spans, room), options.update(max_width=room)
        if len(bands) == 1:
            parts = [self._cut_out(bands[0], self._lines, header=self.show_header, title=self.title)]
        else:
            parts = [*([self.title] if self.title else []), *(self._cut_out(band, [], header=True) for band in bands)]
            parts += [self._cut_out(band, [line]) for line in self._lines for band in bands if band.has_cells(line)]
        for part in parts:
            yield from console.render(part, wide)

    def _measure(self, console: Console, options: ConsoleOptions, place: int) -> "_Span":
        """Return how many columns of the terminal a column of the table needs at least, and at most."""
        column, unbounded = self.columns[place], options.update(width=_UNBOUNDED)
        cells = [column.header, *(line[place] for line in self._lines if place < len(line))]
        found = [Measurement.get(console, unbounded, cell) for cell in cells]
        most = max(one.maximum for one in found)
        if column.no_wrap or most <= _NARROWEST:
            return most, most
        least = max(one.minimum for one in found)
        return min(least, _NARROWEST) if column.overflow == "fold" else least, most

    def _cut_out(
        self,
        band: "_Band",
        lines: Sequence[Sequence[RenderableType]],
        *,
        header: bool = False,
        title: TextType | None = None,
    ) -> RenderableType:
        """Return some columns of some rows, in widths of their own."""
        part = Table(box=None, pad_edge=False, show_header=header, title=title)
        for place, width in band.widths.items():
            column = self.columns[place]
            part.add_column(column.header, width=width, justify=column.justify, style=column.style, overflow="fold")
        for line in lines:
            part.add_row(*(line[place] if place < len(line) else "" for place in band.widths))
        return Padding(part, (0, 0, 0, band.indent), expand=False)


_Span = tuple[int, int]
"""Columns of the terminal that a column of a table needs at least, and at most."""


@dataclass(frozen=True)
class _Band:
    """Columns of a table that stand side by side.

    Args:
        indent: how far to the right they begin.
        widths: by the columns' places.
    """

    indent: int
    widths: dict[int, int]

    def has_cells(self, line: Sequence[RenderableType]) -> bool:
        """Tell whether a row has something here, or begins here."""
        cells = [line[place] for place in self.widths if place < len(line)]
        return not self.indent or any(not isinstance(cell, Text) or cell.plain.strip() for cell in cells if cell != "")


def _pack_columns(spans: Sequence[_Span], room: int) -> list[_Band]:
    """Share the width among the columns; where it is too small for their least, among fewer of them at a time."""
    if sum(least for least, _ in spans) + _GAP * (len(spans) - 1) <= room:
        return [_Band(0, _share_width(dict(enumerate(spans)), room))]
    bands: list[dict[int, _Span]] = [{}]
    for place, span in enumerate(spans):
        own = room - (_INDENT if len(bands) > 1 else 0)
        taken = sum(most + _GAP for _, most in bands[-1].values())
        if bands[-1] and taken + span[1] > own:
            bands.append({})
        bands[-1][place] = span
    indents = [_INDENT if number else 0 for number in range(len(bands))]
    return [_Band(indent, _share_width(band, room - indent)) for indent, band in zip(indents, bands, strict=True)]


def _share_width(spans: Mapping[int, _Span], room: int) -> dict[int, int]:
    """Return each column's width: its least, and what is left to those first that lack the least."""
    room = max(1, room - _GAP * (len(spans) - 1))
    widths = {place: min(least, room) for place, (least, _) in spans.items()}
    left = room - sum(widths.values())
    for place in sorted(spans, key=lambda one: spans[one][1] - widths[one]):
        more = max(0, min(spans[place][1] - widths[place], left))
        widths[place] += more
        left -= more
    return widths


class Quoted:
    """Text from outside, each of its lines behind a bar, those that the terminal's width makes of them as well.

    Args:
        text: the text; its characters are marked here.
        exact: break lines at the width alone, so that no space is lost, as a value needs; else between words.
    """

    def __init__(self, text: str, *, exact: bool = False) -> None:
        self._text = mark_text(text)
        self._exact = exact

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich."""
        width = max(_NARROWEST, options.max_width - len(_BAR) - 2)
        for line in self._text.split("\n"):
            parts = chop_cells(line.expandtabs(4), width) if self._exact else _wrap_words(console, line, width)
            for part in parts or [""]:
                yield Text.assemble(("  " + _BAR, "dim"), part, no_wrap=True, overflow="ignore")


def build_line(markup: str, **values: object) -> Text:
    """Return a styled line; what is put in is plain and has no newline.

    Args:
        markup: a literal, such as ``[bold]{name}[/] is closed``.
        values: what its names stand for; a `Text` keeps its style.
    """
    template, line, end = Text.from_markup(markup, emoji=False), Text(), 0
    for match in _NAME.finditer(template.plain):
        line.append_text(template[end : match.start()])
        value = values[match[1]]
        put = value.copy() if isinstance(value, Text) else Text(mark_line(str(value)))
        for span in template[match.start() : match.end()].spans:
            put.stylize(span.style)
        line.append_text(put)
        end = match.end()
    return line.append_text(template[end:])


def build_styled(text: object, style: str | Style) -> Text:
    """Return a plain word in a style."""
    return Text(mark_line(str(text)), style=style)


def _as_line(shown: RenderableType) -> RenderableType:
    return Text(mark_line(shown)) if isinstance(shown, str) else shown


def _wrap_words(console: Console, line: str, width: int) -> list[str]:
    return [part.plain for part in Text(line).wrap(console, width)]


class _Guard(RenderHook):
    """Marks whatever is about to be printed, whoever made it."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """See rich."""
        return [_Guarded(one) for one in renderables]


class _Guarded:
    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        segments: Sequence[Segment] = list(console.render(self._inner, options))
        for segment in segments:
            yield segment if segment.control else Segment(mark_text(segment.text), segment.style)
