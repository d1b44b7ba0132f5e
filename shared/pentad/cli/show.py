"""How runs, calls and waterfalls look in a terminal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from pentad.cli.screen import Grid, Quoted, Screen, build_line, build_styled, format_count
from pentad.domain.display.characters import count_marked, cut_text, format_json, iter_shown_strings, mark_line
from pentad.domain.display.scripts import count_alike, list_alike_words
from pentad.memory.retrieval.citations import replace_markers

Json = dict[str, Any]

MOST_SHOWN: Final = 20_000
"""Characters of one value on the screen; more would scroll what stands before it away."""
_STATUS_STYLE = {
    "succeeded": "green",
    "degraded": "yellow",
    "awaiting_human": "yellow",
    "running": "cyan",
    "queued": "cyan",
    "stopped": "yellow",
}
_ORIGINS = {"parent": "a step of", "forked_from": "a fork of", "redrive_of": "a redrive of"}
_KIND_STYLE = {
    "run": "bold",
    "state": "cyan",
    "function": "blue",
    "model": "magenta",
    "tool": "green",
    "node": "yellow",
}
_SHORTEST_BAR, _LONGEST_BAR = 16, 60
_SHORTEST_NAME = 16
_DETAILS, _SHORTEST_DETAILS = 32, 10
_GAPS = 6  # blanks between the four columns


def format_status(status: str) -> Text:
    """Return a status with its colour."""
    return build_styled(status, _STATUS_STYLE.get(status, "red"))


def print_run(screen: Screen, view: Json) -> None:
    """Print a run's answer, notices and citations, with a number in the place of each citation's marker."""
    numbers = {citation["marker"]: f"[{number}]" for number, citation in enumerate(view["citations"], 1)}
    for notice in filter(None, [*view["notices"], view.get("holding")]):
        if notice != view["answer"]:  # a degraded answer is its own notice
            screen.print(build_styled(notice, "yellow"))
    if view["answer"]:
        screen.print_text(replace_markers(view["answer"], numbers))
    for citation in view["citations"]:
        number = numbers[citation["marker"]]
        shown = {**citation, "number": number, "place": f"page {citation['page']}, " if citation.get("page") else ""}
        screen.print(build_line("  [dim]{number} {document}: {title} ({place}{start}-{end})[/]", **shown))
    if view["error"]:
        screen.print(build_styled(view["error"], "red"))
    if view["stop_reason"]:
        screen.print(build_line("[yellow]stopped: {reason}[/]", reason=view["stop_reason"]))
    sure = "" if view.get("confidence") is None else f"confidence {view['confidence']:.2f}, "
    steps = f"{view['steps']} {'step' if view['steps'] == 1 else 'steps'}"
    rest = f"{steps}, {sure}{view['tokens']:,} tokens, {view['cost']}, session {view['session']}"
    for field, said in _ORIGINS.items():
        if view.get(field):
            screen.print(build_styled(f"{said} {view[field]}", "dim"))
    replaced = view.get("replaced") or {}
    parts = [name for name in ("prompt", "model") if replaced.get(name)]
    parts += [f"result of call {call}" for call in replaced.get("tool_results", ())]
    if parts:
        screen.print(build_styled(f"replaced in this fork: {', '.join(parts)}", "yellow"))
    status = format_status(view["status"])
    screen.print(build_line("[dim]{run}[/] {status} [dim]{rest}[/]", run=view["run_id"], status=status, rest=rest))


def build_run_table(views: Iterable[Json]) -> Grid:
    """Return runs as a table."""
    table = Grid()
    for heading in ("run", "agent", "session", "status", "created", "steps", "tokens", "cost"):
        table.add_column(heading, no_wrap=heading in ("run", "created"))
    for view in views:
        table.add_row(
            view["run_id"],
            build_line("[dim]↳[/] {agent}", agent=view["agent"]) if view.get("parent") else view["agent"],
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
    """Return an approval with exactly the calls that would run, and the text that is meant.

    Arguments are JSON in which every character shows, each line behind a bar: none of it can pass for another call.
    """
    head = "[bold]{approval}[/]  {kind} of {agent}, run {run_id}"
    if view.get("parent"):
        head += ", a step of {parent}"
    parts: list[RenderableType] = [build_line(head, **view), build_styled(f"  {_describe_status(view)}", "dim")]
    if view["text"]:
        text = view["text"]
        parts += _render_value("text", text, count_marked(text), exact=False, alike=count_alike([text]))
        for word, written in list_alike_words(text):
            parts.append(build_line("  [yellow]'{word}' is written {written}[/]", word=word, written=written))
    parts += render_calls(view["calls"])
    return Group(*parts)


def render_calls(calls: Sequence[Json]) -> list[RenderableType]:
    """Return tool calls with their arguments, numbered; of several, how many there are stands at the end again."""
    parts: list[RenderableType] = []
    for number, call in enumerate(calls, 1):
        place = f"{number} of {len(calls)}"
        head = build_line("call {place}: [green]{tool}[/]", place=place, tool=call["tool"])
        if call.get("edited"):
            head.append_text(build_styled(" (edited)", "yellow"))
        strings = list(iter_shown_strings(call["arguments"]))
        hidden, alike = sum(map(count_marked, strings)), count_alike(strings)
        parts += _render_value(head, format_json(call["arguments"], indent=2), hidden, alike=alike, exact=True)
        parts += _render_reasons(call)
    if len(calls) > 1:
        counts = Counter(call["tool"] for call in calls)
        summary = ", ".join(f"{tool} x {times}" for tool, times in counts.items())
        parts.append(build_line("  {count} calls: {summary}", count=len(calls), summary=summary))
    return parts


def _render_reasons(call: Json) -> list[RenderableType]:
    """Return why a call asks, and which of its arguments have words of text from outside."""
    parts: list[RenderableType] = [build_line("  [dim]asks:[/] {why}", why=why) for why in call.get("reasons", ())]
    for one in call.get("outside", ()):
        said = "  [yellow]'{path}' has words of {source}, which the user did not write:[/] {text}"
        parts.append(build_line(said, path=one["path"], source=one["source"], text=one["text"]))
    return parts


def count_not_shown(view: Json) -> int:
    """Return how many characters of an approval's text and calls `render_approval` leaves out."""
    shown = [format_json(call["arguments"], indent=2) for call in view["calls"]] + [view["text"] or ""]
    return sum(cut_text(one, MOST_SHOWN)[1] for one in shown)


def _render_value(name: str | Text, shown: str, hidden: int, *, exact: bool, alike: int = 0) -> list[RenderableType]:
    """Return a value under its name, with its length, and what of it does not show by itself or is cut off."""
    beginning, left = cut_text(shown, MOST_SHOWN)
    head = build_line("  {name}, {length} characters", name=name, length=f"{len(shown):,}")
    if hidden:
        head.append_text(build_line("[yellow], {count} hidden: see \\u[/]", count=f"{hidden:,}"))
    if alike:
        head.append_text(build_line("[yellow], {count} letters pass for others: see \\u[/]", count=f"{alike:,}"))
    parts: list[RenderableType] = [head, Quoted(beginning, exact=exact)]
    if left:
        said = "  [yellow]{count} more characters are not shown: --json has them[/]"
        parts.append(build_line(said, count=f"{left:,}"))
    return parts


def _describe_status(view: Json) -> str:
    if view["status"] != "pending":
        reason = f": {view['reason']}" if view["reason"] else ""
        return f"{view['status']} by {view['decided_by'] or 'nobody'}{reason}"
    said = f"{view['group']} until {format_time(view['expires_at'])}"
    if view["quorum"] > 1:
        said += f", {len(view['votes'])} of {view['quorum']} have approved"
    if view["confidence"] is not None:
        said += f", confidence {view['confidence']:.2f}"
    return said


def render_waterfall(trace: Json, width: int) -> Grid:
    """Return a run's spans as bars on one time axis.

    Args:
        trace: what the API shows of a run's trace.
        width: columns of the terminal; the bars take what names, times and details leave.
    """
    table = Grid()
    spans = trace["spans"]
    names = [f"{'  ' * span['depth']}{mark_line(span['name'])}" for span in spans]
    times = [f"{span['duration_ms']:,}" for span in spans]
    name_width, time_width, bars, room = _share_columns(width, names, times)
    table.add_column("span", no_wrap=True, width=name_width, overflow="ellipsis")
    table.add_column("ms", justify="right", no_wrap=True, width=time_width)
    table.add_column("", no_wrap=True, width=bars)
    if room:
        table.add_column("details", overflow="ellipsis", no_wrap=True, max_width=room)
    if not spans:
        return table
    first = min(datetime.fromisoformat(span["start"]) for span in spans)
    last = max(datetime.fromisoformat(span["end"]) for span in spans)
    whole = max((last - first).total_seconds(), 0.001)
    for name, took, span in zip(names, times, spans, strict=True):
        offset = (datetime.fromisoformat(span["start"]) - first).total_seconds() / whole
        left = min(int(offset * bars), bars - 1)
        length = max(1, min(round(span["duration_ms"] / 1000 / whole * bars), bars - left))
        style = _KIND_STYLE.get(span["kind"], "")
        details = " ".join(f"{key}={value}" for key, value in span["attributes"].items())
        bar = Text(" " * left + "█" * length, style=style)
        table.add_row(build_styled(name, style), took, bar, *([details] if room else []))
    return table


def render_context(context: Json | None) -> Iterator[RenderableType]:
    """Yield what a run's model was given: a row for each piece, then what stands in those that were searched for.

    Args:
        context: what the API shows of it with the run's trace.
    """
    if context is None:
        yield build_styled("The run has no context: Recall has not run yet.", "yellow")
        return
    table = Grid("piece", "count", "tokens", "left out", "signals", "why")
    for piece in context["pieces"]:
        signals = " ".join(f"{name}={value}" for name, value in piece["signals"].items())
        numbers = (f"{piece[name]:,}" for name in ("count", "tokens", "left_out"))
        table.add_row(piece["kind"], *numbers, signals, piece["reason"])
    yield table
    for piece in context["pieces"]:
        for source in piece["sources"]:
            score = "" if source["score"] is None else f", score {source['score']:.3f}"
            yield build_line(
                "  [dim]{kind}[/] {name}: {tokens}{score}{signal}",
                kind=piece["kind"],
                name=source["name"],
                tokens=format_count(source["tokens"], "token"),
                score=score,
                signal=f" ({source['signal']})" if source["signal"] else "",
            )
    told = "{tokens} tokens of messages, estimated; tools and the system prompt come on top"
    yield build_line(told, tokens=f"{context['estimated_tokens']:,}")


def _share_columns(width: int, names: Sequence[str], times: Sequence[str]) -> tuple[int, int, int, int]:
    """Return the columns of names, times, bars and details. A time is never cut: a number cut short is another one."""
    time_width = max((len(one) for one in times), default=2)
    name_width = min(max((len(one) for one in names), default=4), max(_SHORTEST_NAME, width * 2 // 5))
    rest = width - name_width - time_width - _GAPS
    bars = max(_SHORTEST_BAR, min(_LONGEST_BAR, rest - _DETAILS))
    room = rest - bars
    if room < _SHORTEST_DETAILS:
        return name_width, time_width, max(1, min(_LONGEST_BAR, rest)), 0
    return name_width, time_width, bars, room
