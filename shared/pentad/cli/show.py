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
_ORIGINS = {"parent": "a step of", "forked_from": "a fork of", "redrive_of": "goes on for"}
_KIND_STYLE = {
    "run": "bold",
    "state": "cyan",
    "function": "blue",
    "model": "magenta",
    "tool": "green",
    "node": "yellow",
}
_SHORTEST_BAR, _LONGEST_BAR = 16, 60
_OTHER_COLUMNS = 45  # times, details and the gaps between


def format_status(status: str) -> str:
    """Return a status with its colour."""
    style = _STATUS_STYLE.get(status, "red")
    return f"[{style}]{status}[/]"


def print_run(console: Console, view: Json) -> None:
    """Print a run's answer, notices and citations."""
    for notice in view["notices"]:
        if notice != view["answer"]:  # a degraded answer is its own notice
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
    sure = "" if view.get("confidence") is None else f"confidence {view['confidence']:.2f}, "
    steps = f"{view['steps']} {'step' if view['steps'] == 1 else 'steps'}"
    _print_origin(console, view)
    console.print(
        f"[dim]{view['run_id']}[/] {format_status(view['status'])} "
        f"[dim]{steps}, {sure}{view['tokens']:,} tokens, {view['cost']}, session {view['session']}[/]"
    )


def _print_origin(console: Console, view: Json) -> None:
    for field, said in _ORIGINS.items():
        if view.get(field):
            console.print(f"[dim]{said} {view[field]}[/]")


def build_run_table(views: Iterable[Json]) -> Table:
    """Return runs as a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "agent", "session", "status", "created", "steps", "tokens", "cost"):
        table.add_column(heading, no_wrap=heading in ("run", "created"))
    for view in views:
        table.add_row(
            view["run_id"],
            f"[dim]↳[/] {view['agent']}" if view.get("parent") else view["agent"],
            view["session"],
            format_status(view["status"]),
            format_time(view["created_at"], "%m-%d %H:%M:%S"),
            str(view["steps"]),
            f"{view['tokens']:,}",
            view["cost"],
        )
    return table


def format_time(moment: str, form: str = "%Y-%m-%d %H:%M %Z") -> str:
    """Return a moment of the API as this machine's clock tells it."""
    return datetime.fromisoformat(moment).astimezone().strftime(form)


def render_approval(view: Json) -> RenderableType:
    """Return an approval with exactly the arguments that would run, and the text that is meant."""
    lines = [
        f"[bold]{view['approval']}[/]  {view['kind']} of {escape(view['agent'])}, run {view['run_id']}",
        f"  [dim]{_describe_status(view)}[/]",
    ]
    if view["text"]:
        lines += [f"    {escape(line)}" for line in view["text"].splitlines()]
    for call in view["calls"]:
        edited = " [yellow](edited)[/]" if call["edited"] else ""
        lines.append(f"  [green]{escape(call['tool'])}[/]{edited}")
        lines += [f"    {escape(name)}: {escape(str(value))}" for name, value in call["arguments"].items()]
    return Group(*(Text.from_markup(line) for line in lines))


def _describe_status(view: Json) -> str:
    if view["status"] != "pending":
        reason = f": {escape(view['reason'])}" if view["reason"] else ""
        return f"{view['status']} by {escape(view['decided_by'] or 'nobody')}{reason}"
    said = f"{view['group']} until {format_time(view['expires_at'])}"
    if view["quorum"] > 1:
        said += f", {len(view['votes'])} of {view['quorum']} have approved"
    if view["confidence"] is not None:
        said += f", confidence {view['confidence']:.2f}"
    return said


def render_waterfall(trace: Json, width: int) -> Table:
    """Return a run's spans as bars on one time axis.

    Args:
        trace: what the API shows of a run's trace.
        width: columns of the terminal; the bars take what names, times and details leave.
    """
    table = Table(box=None, pad_edge=False)
    spans = trace["spans"]
    names = [f"{'  ' * span['depth']}{span['name']}" for span in spans]
    longest = max((len(name) for name in names), default=0)
    bars = max(_SHORTEST_BAR, min(_LONGEST_BAR, width - longest - _OTHER_COLUMNS))
    table.add_column("span", no_wrap=True, width=longest)
    table.add_column("ms", justify="right", no_wrap=True, width=7)
    table.add_column("", no_wrap=True, width=bars)
    room = max(10, width - longest - bars - 7 - 3)
    table.add_column("details", overflow="ellipsis", no_wrap=True, max_width=room)
    if not spans:
        return table
    first = min(datetime.fromisoformat(span["start"]) for span in spans)
    last = max(datetime.fromisoformat(span["end"]) for span in spans)
    whole = max((last - first).total_seconds(), 0.001)
    for name, span in zip(names, spans, strict=True):
        offset = (datetime.fromisoformat(span["start"]) - first).total_seconds() / whole
        left = min(int(offset * bars), bars - 1)
        length = max(1, min(round(span["duration_ms"] / 1000 / whole * bars), bars - left))
        style = _KIND_STYLE.get(span["kind"], "")
        details = " ".join(f"{key}={value}" for key, value in span["attributes"].items())
        bar = Text(" " * left + "█" * length, style=style)
        table.add_row(Text(name, style=style), f"{span['duration_ms']:,}", bar, Text(details))
    return table
