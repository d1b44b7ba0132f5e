"""Print what the orchestration benchmark found."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.tables import promise_table

if TYPE_CHECKING:
    from benchmarks.orchestration import Measured, Report
    from benchmarks.orchestration_langgraph import GraphTurn
    from benchmarks.timing import Spread


def _table(title: str, left: str, columns: list[str]) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False)
    table.add_column(left)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _times(found: "Spread | None") -> str:
    return f"{found.minimum:,.0f} / {found.median:,.0f} / {found.maximum:,.0f}" if found else "-"


def ours_table(found: "list[Measured]") -> Table:
    """Return a line for each case and history."""
    columns = ["messages", "transitions", "Lambda", "DynamoDB", "RRU", "WRU", "payload", "stored", "read", "ms"]
    table = _table("Pentad on the twin, one turn (bytes; ms least / median / most)", "turn", columns)
    for one in found:
        turn = one.turn
        cells = [one.messages, turn.transitions, sum(turn.invocations.values()), turn.list_requests]
        rest = [turn.largest.bytes, one.stored, turn.read_bytes]
        units = [f"{one.units.read:,.1f}", f"{one.units.write:,.1f}"]
        numbers = [*(f"{cell:,}" for cell in cells), *units, *(f"{cell:,}" for cell in rest)]
        table.add_row(one.case, *numbers, _times(one.milliseconds))
    return table


def theirs_table(found: "list[GraphTurn]") -> Table:
    """Return a line for each turn of the graph."""
    title = "LangGraph with InMemorySaver in this process, the same turn"
    table = _table(title, "turn", ["messages", "checkpoints", "written", "ms"])
    for one in found:
        name = "plain answer" if not one.tool_calls else f"{one.tool_calls} tool call"
        name += ", channel of deltas (beta)" if one.deltas else ""
        table.add_row(
            name, f"{one.messages:,}", str(one.supersteps), f"{one.bytes_written:,}", _times(one.milliseconds)
        )
    return table


def ratio_table(report: "Report") -> Table:
    """Return how what a turn stores and takes grows with the history, side by side."""
    columns = ["messages", "stored, Pentad to LangGraph", "ms over the shortest, Pentad", "LangGraph"]
    table = _table("Ratios", "turn", columns)
    first: dict[str, tuple[float, float]] = {}
    whole = [one for one in report.theirs if not one.deltas]
    for mine, other in zip(report.ours, whole, strict=True):
        own = mine.milliseconds.median if mine.milliseconds else 0.0
        base = first.setdefault(mine.case, (own or 1.0, other.milliseconds.median))
        table.add_row(
            mine.case,
            f"{mine.messages:,}",
            f"{mine.stored / other.bytes_written:.2f}",
            f"{own / base[0]:.2f}",
            f"{other.milliseconds.median / base[1]:.2f}",
        )
    return table


def show(console: Console, report: "Report") -> None:
    """Print everything."""
    for part in (
        promise_table(report.promises),
        ours_table(report.ours),
        theirs_table(report.theirs),
        ratio_table(report),
        f"Load of the machine at the start: {report.load:.1f}. The times do not compare: Pentad's turn crosses "
        "processes, a local AWS and its state machine, LangGraph's stays in one process and in memory.",
    ):
        console.print(part)
        console.print()
