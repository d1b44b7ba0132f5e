"""The report as tables for a terminal."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.crowd import Crowd
from benchmarks.purposes import purpose
from benchmarks.scenarios import PLAIN, TOOLS, Measured
from benchmarks.timing import FunctionTimes, Spread
from benchmarks.turn import Promise, Turn

_TOP = 12


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in left:
        table.add_column(heading)
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def promise_table(found: Sequence[Promise]) -> Table:
    """Return what the design promises beside what was counted."""
    table = _table("Promises of the design, counted", ["", "what"], ["promised", "counted"])
    shown = [one for one in found if not (one.check and one.kept)]
    for one in shown:
        mark = "[green]ok[/]" if one.kept else "[red]BROKEN[/]"
        table.add_row(mark, one.what, one.promised, one.counted)
    hidden = len(found) - len(shown)
    table.caption = f"and {hidden} checks hold: runs succeeded, nothing was retried, logs and counters agree"
    table.caption_justify = "left"
    return table


def turn_table(turns: Iterable[Turn]) -> Table:
    """Return a line for each case with all that was counted."""
    right = [
        "transitions",
        "largest payload",
        "invocations",
        "DynamoDB",
        "other AWS",
        "stored net",
        "read",
        "tokens in",
    ]
    table = _table("One run of each case (bytes; requests)", ["case"], right)
    for turn in turns:
        counts = (turn.largest.bytes, sum(turn.invocations.values()), turn.list_requests, sum(turn.other.values()))
        stored = sum(one.bytes_net for one in turn.stored)
        cells = (turn.transitions, *counts, stored, turn.read_bytes, turn.input_tokens)
        table.add_row(turn.name, *(f"{cell:,}" for cell in cells))
    return table


def crowd_table(crowds: Iterable[Crowd]) -> Table:
    """Return a line for each number of runs that were started at once."""
    right = ["succeeded", "accepted s", "ended s (first, median, last)", "overtaken by", "memory MB", "processes"]
    table = _table("Runs started at once", ["runs"], right)
    for one in crowds:
        accepted, ended = one.accept_seconds, one.end_seconds
        table.add_row(
            str(one.at_once),
            str(one.ends.get("succeeded", 0)),
            f"{accepted.maximum:.1f}" if accepted else "",
            f"{ended.minimum:.1f}, {ended.median:.1f}, {ended.maximum:.1f}" if ended else "",
            str(one.overtaken),
            f"{one.memory_mb:,}",
            str(one.processes),
        )
        bad = [f"{count} {how}" for how, count in one.ends.items() if how != "succeeded"]
        if bad:
            table.add_row("", "; ".join(bad), "", "", "", "", "")
    return table


def where_largest(turn: Turn) -> str:
    """Return which payload of a run is the largest."""
    payload = turn.largest
    return f"{payload.bytes:,} bytes: {payload.field} of {payload.event} in {payload.state}"


def request_table(turn: Turn) -> Table:
    """Return all DynamoDB requests of a run by function, operation and table."""
    table = _table(
        f"DynamoDB requests of: {turn.name} ({turn.list_requests})", ["function", "operation", "table", "items"], ["n"]
    )
    for row in sorted(turn.dynamodb, key=lambda one: (one.function, one.operation, one.items)):
        table.add_row(row.function, row.operation, row.table, row.items, str(row.count))
    return table


def spender_table(turn: Turn) -> Table:
    """Return the most frequent DynamoDB requests of a run with what each is for."""
    title = f"Biggest spenders of: {turn.name}"
    table = _table(title, ["function", "operation", "items", "what for"], ["n"])
    for row in turn.dynamodb[:_TOP]:
        table.add_row(row.function, row.operation, row.items, purpose(row), str(row.count))
    return table


def repeat_table(turns: Iterable[Turn]) -> Table:
    """Return what single invocations read more than once."""
    table = _table("Read more than once in one invocation", ["case", "function", "operation", "items"], ["times"])
    for turn in turns:
        for one in turn.repeats:
            table.add_row(turn.name, one.function, one.operation, one.items, str(one.times))
    return table


def other_table(turns: Sequence[Turn]) -> Table:
    """Return requests to other services and invocations, a column for each case."""
    table = _table("Other requests, and invocations", ["what"], [turn.name for turn in turns])
    columns = [turn.other | {f"invocation of {name}": n for name, n in turn.invocations.items()} for turn in turns]
    for name in sorted({name for column in columns for name in column}):
        table.add_row(name, *(str(column.get(name, 0)) for column in columns))
    return table


def stored_table(turns: Iterable[Turn]) -> Table:
    """Return what a run leaves in each table and bucket."""
    table = _table("Stored by one run", ["case", "where"], ["new", "changed", "bytes written", "bytes net"])
    for turn in turns:
        for one in turn.stored:
            if one.new or one.changed or one.bytes_net:
                cells = (one.new, one.changed, one.bytes_written, one.bytes_net)
                table.add_row(turn.name, one.place, *(f"{cell:,}" for cell in cells))
    return table


def _span(found: Spread | None, digits: int = 0) -> str:
    if found is None:
        return "-"
    if found.samples == 1:
        return f"{found.median:,.{digits}f}"
    return f"{found.minimum:,.{digits}f} / {found.median:,.{digits}f} / {found.maximum:,.{digits}f}"


def function_table(functions: Iterable[FunctionTimes]) -> Table:
    """Return the times of each function in milliseconds."""
    right = ["cold start", "first call", "warm calls", "n", "MB"]
    table = _table("Functions in the twin (ms: least / median / most)", ["function"], right)
    for one in functions:
        warm = one.warm_call.samples if one.warm_call else 0
        table.add_row(
            one.function, _span(one.init), _span(one.first_call), _span(one.warm_call), str(warm), str(one.memory_mb)
        )
    return table


def start_table(phases: Mapping[str, Spread]) -> Table:
    """Return the time from start to ready, by phase, in seconds."""
    table = _table(
        "`pentad up` with a warm cdk.out, in a fresh process (seconds)", ["phase"], ["least", "median", "most"]
    )
    for name, one in phases.items():
        table.add_row(name, f"{one.minimum:.2f}", f"{one.median:.2f}", f"{one.maximum:.2f}")
    return table


def show(console: Console, found: Measured) -> None:
    """Print what was counted and timed on the running twin."""
    plain, tool = found.turn(PLAIN.name), found.turn(TOOLS[0].name)
    parts = [
        promise_table(found.promises),
        turn_table(found.turns),
        f"Largest payload of the plain answer: {where_largest(plain)}",
        request_table(plain),
        request_table(tool),
        spender_table(tool),
        repeat_table([plain, tool]),
        other_table([plain, tool]),
        stored_table([plain, tool]),
        growth(found.turns),
        function_table(found.functions),
        answer(found),
        *([crowd_table(found.crowds)] if found.crowds else []),
    ]
    for part in parts:
        console.print(part)
        console.print()


def answer(found: Measured) -> str:
    """Return in a sentence how long a client waits for a plain answer."""
    if found.answer_ms is None:
        return "A plain answer through the API was not timed."
    return (
        f"A plain answer through the API, waited for: p50 {found.answer_ms.median:,.0f} ms ({_span(found.answer_ms)}, "
        f"{found.answer_ms.samples} samples); the API reads the run {found.waiting_reads:.1f} times while it waits."
    )


def growth(turns: Iterable[Turn]) -> str:
    """Return in a sentence whether a longer session makes a turn do more."""
    grown = [turn for turn in turns if turn.history]
    if not grown:
        return ""
    requests = {turn.list_requests for turn in grown}
    verdict = "do not grow" if len(requests) == 1 else "GROW"
    each = ", ".join(
        f"{turn.history} messages: {turn.list_requests} requests, {turn.read_bytes:,} bytes read" for turn in grown
    )
    return f"With the session's history the DynamoDB requests of a turn {verdict} ({each})."
