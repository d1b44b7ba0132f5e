"""The terminal: the one place where the command line prints. Text from outside can hide nothing and forge nothing.

A string is one line, and plain: a newline in it is shown as one, markup in it is text. Style comes from literal markup
with names for what is put in (`build_line`). Text of several lines stands behind a bar (`Quoted`), so none of it can
pass for a line of ours. Whatever is printed is marked once more on its way out, as `pentad.domain.display` says.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from rich.cells import chop_cells
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from pentad.domain.display.characters import format_json, mark_line, mark_text

_NAME: Final = re.compile(r"\{(\w+)\}")
_BAR: Final = "│ "
_NARROWEST: Final = 20  # columns of a quoted line


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
        self._console.print(_as_line(shown), soft_wrap=whole)

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
    """A table without lines whose cells are each one line: no cell can pass for a row."""

    def __init__(self, *headings: str, title: str | None = None) -> None:
        super().__init__(box=None, pad_edge=False, title=None if title is None else Text(mark_line(title)))
        for heading in headings:
            self.add_column(heading)

    def add_column(self, header: RenderableType = "", *args: Any, **options: Any) -> None:
        """Add a column; see rich."""
        super().add_column(_as_line(header), *args, **options)

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row; a string is plain."""
        super().add_row(*(None if cell is None else _as_line(cell) for cell in cells), **options)


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
