"""The comparison as tables for a terminal."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from benchmarks.gateway.field import BY_NAME
from benchmarks.gateway.figures import PerCall, Rate
from benchmarks.gateway.loads import Load
from benchmarks.timing import Spread

_WIDTH = 170
"""Columns of figures are not broken: a narrow terminal wraps the lines."""


def _table(title: str, *right: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def span(found: Spread, digits: int = 2) -> str:
    """Return least, median and most."""
    return f"{found.minimum:,.{digits}f} / {found.median:,.{digits}f} / {found.maximum:,.{digits}f}"


def call_table(calls: Iterable[PerCall]) -> Table:
    """Return the times of calls made one after the other."""
    headings = ("p50", "p99", "over", "over p99", "times", "times p99", "CPU", "CPU times", "calls")
    table = _table("A call, one after the other (ms; over, times: the SDK's own calls, named in brackets)", *headings)
    for one in calls:
        cells = (f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.overhead_p50:+.2f}", f"{one.overhead_p99:+.2f}")
        label = f"{one.entry.label} [dim]({BY_NAME[one.entry.baseline].label})[/]"
        processor = (f"{one.cpu_p50:.2f}", span(one.cpu_ratio))
        table.add_row(label, *cells, span(one.ratio), f"{one.ratio_p99:.2f}", *processor, f"{one.calls:,}")
    return table


def rate_table(found: Iterable[Rate]) -> Table:
    """Return calls a second by eight threads."""
    table = _table("Calls a second, eight threads (least / median / most of the rounds)", "calls/s", "ratio", "to")
    for one in found:
        table.add_row(
            one.entry.label, span(one.per_second, 0), f"{one.ratio.median:.2f}", BY_NAME[one.entry.baseline].label
        )
    return table


def load_table(loads: Iterable[Load]) -> Table:
    """Return what it costs to load each library."""
    table = _table("Loading it, in a fresh process", "seconds", "modules")
    for one in loads:
        table.add_row(one.label, span(one.seconds), f"{one.modules:,}")
    return table


def show(console: Console, calls: Iterable[PerCall], found: Iterable[Rate], loads: Iterable[Load]) -> None:
    """Print the tables."""
    console = Console(file=console.file, width=max(console.width, _WIDTH))
    for table in (call_table(calls), rate_table(found), load_table(loads)):
        console.print(table)
        console.print()
