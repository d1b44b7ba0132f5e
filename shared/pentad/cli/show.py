"""How runs, calls and waterfalls look in a terminal."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]

_STATUS_STYLE = {
    "succeeded": "green",
    "degraded": "yellow",
    "awaiting_human": "yellow",
    "running": "cyan",
    "queued": "cyan",
    "stopped": "yellow",
}
_KIND_STYLE = {"run": "bold", "state": "cyan", "function": "blue", "model": "magenta", "tool": "green"}
_BAR_WIDTH = 40


def status_text(status: str) -> str:
    """Return a status with its colour."""
    style = _STATUS_STYLE.get(status, "red")
    return f"[{style}]{status}[/]"


def print_run(console: Console, view: Json) -> None:
    """Print a run's answer, notices and citations."""
    for notice in view["notices"]:
        console.print(f"[yellow]{escape(notice)}[/]")
    if view["answer"]:
        console.print(escape(view["answer"]))
    for citation in view["citations"]:
        console.print(
            f"  [dim]{escape(citation['marker'])} {escape(citation['document'])}: {escape(citation['title'])} "
            f"({citation['start']}-{citation['end']})[/]"
        )
    if view["error"]:
        console.print(f"[red]{escape(view['error'])}[/]")
    if view["stop_reason"]:
        console.print(f"[yellow]stopped: {escape(view['stop_reason'])}[/]")
    console.print(
        f"[dim]{view['run_id']}[/] {status_text(view['status'])} "
        f"[dim]{view['steps']} steps, {view['tokens']:,} tokens, {view['cost']}, session {view['session']}[/]"
    )


def run_table(views: Iterable[Json]) -> Table:
    """Return runs as a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "agent", "session", "status", "created", "steps", "tokens", "cost"):
        table.add_column(heading, no_wrap=heading in ("run", "created"))
    for view in views:
        created = datetime.fromisoformat(view["created_at"]).astimezone().strftime("%m-%d %H:%M:%S")
        table.add_row(
            view["run_id"],
            view["agent"],
            view["session"],
            status_text(view["status"]),
            created,
            str(view["steps"]),
            f"{view['tokens']:,}",
            view["cost"],
        )
    return table


def approval_lines(view: Json) -> RenderableType:
    """Return an approval with exactly the arguments that would run."""
    lines = [f"[bold]{view['approval']}[/]  run {view['run_id']}  until {view['expires_at']}"]
    for call in view["calls"]:
        lines.append(f"  [green]{escape(call['tool'])}[/]")
        lines += [f"    {escape(name)}: {escape(str(value))}" for name, value in call["arguments"].items()]
    return Group(*(Text.from_markup(line) for line in lines))


def waterfall(trace: Json) -> Table:
    """Return a run's spans as bars on one time axis."""
    spans = trace["spans"]
    table = Table(box=None, pad_edge=False, title_justify="left")
    for heading in ("span", "ms", "", "details"):
        table.add_column(heading, justify="right" if heading == "ms" else "left", no_wrap=True)
    if not spans:
        return table
    starts = [datetime.fromisoformat(span["start"]) for span in spans]
    first = min(starts)
    last = max(datetime.fromisoformat(span["end"]) for span in spans)
    whole = max((last - first).total_seconds(), 0.001)
    for span, start in zip(spans, starts, strict=True):
        offset = (start - first).total_seconds() / whole
        width = span["duration_ms"] / 1000 / whole
        left = min(int(offset * _BAR_WIDTH), _BAR_WIDTH - 1)
        length = max(1, min(round(width * _BAR_WIDTH), _BAR_WIDTH - left))
        style = _KIND_STYLE.get(span["kind"], "")
        name = f"{'  ' * span['depth']}{span['name']}"
        details = " ".join(f"{key}={value}" for key, value in span["attributes"].items())
        table.add_row(
            Text(name, style=style),
            f"{span['duration_ms']:,}",
            Text(" " * left + "█" * length, style=style),
            escape(details),
        )
    return table
