"""``python -m benchmarks.trajectories``: recorded tool use of a public benchmark, through the deployed loop.

The multi-turn conversations of the Berkeley Function-Calling Leaderboard (BFCL v4): users' messages start runs in one
session, the calls that are right are the model's script, the benchmark's simulated backends are the tools, with their
state in DynamoDB. Afterwards that state is compared with the one that the benchmark's own executor leaves.

Exit code 1 where anything differs.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.entry import ended
from benchmarks.terminal import ERR, OUT
from pentad.cli.demo.record import write_report
from pentad.cli.synth import find_project_root
from tests.twin.trajectories.bfcl.conversation import unplayable
from tests.twin.trajectories.bfcl.deployed import Benchmark, groups
from tests.twin.trajectories.bfcl.entries import CATEGORIES, Entry, called, entries, functions
from tests.twin.trajectories.bfcl.replay import Replayed, replay


@dataclass
class Row:
    """One conversation, replayed."""

    name: str
    classes: tuple[str, ...]
    turns: int
    silent_turns: int
    calls: int
    most_at_once: int
    same_state: bool
    differences: list[str]
    seconds: float


@dataclass
class Report:
    """All that was found."""

    category: str
    load: float
    rows: list[Row] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    tools: int = 0
    twins: int = 0
    seconds: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """What differs, in a line for each conversation."""
        return [f"{row.name}: {'; '.join(row.differences)}" for row in self.rows if row.differences]


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trajectories", description=__doc__)
    parser.add_argument("--category", choices=CATEGORIES, default="base", help="of the multi-turn ones (default base)")
    parser.add_argument("--limit", type=_count, help="only so many conversations, the first ones")
    parser.add_argument("--only", nargs="+", metavar="NUMBER", help="only the conversations of these numbers")
    parser.add_argument("--json", action="store_true", help="write everything to .pentad/bench-trajectories.json too")
    return parser.parse_args(given)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number from 1 on")
    return number


def replay_all(chosen: Sequence[Entry], report: Report, root: Path) -> None:
    """Replay entries, each group of them on a twin of its own."""
    benchmark = Benchmark.of(chosen)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        task = progress.add_task("", total=len(chosen))

        def tell(text: str) -> None:
            progress.update(task, description=text)
            if not ERR.is_terminal:
                ERR.print(f"[dim]{text}[/]")

        for group in groups(chosen):
            tools = {method for entry in group for method in called(entry)}
            tell(f"deploying {len(tools)} tools")
            with tempfile.TemporaryDirectory() as folder, benchmark.deployed(group, root, Path(folder)) as stack:
                report.twins += 1
                for entry in group:
                    tell(entry.name)
                    report.rows.append(_row(stack, benchmark, entry))
                    progress.advance(task)


def _row(stack: Any, benchmark: Benchmark, entry: Entry) -> Row:
    conversation = benchmark.conversation(entry)
    began = time.monotonic()
    try:
        found = replay(stack, conversation)
    except AssertionError as error:  # something did not happen in time; the others are replayed all the same
        found = Replayed(same_state=False, differences=[f"it was not played: {error}"])
    replies = [reply for turn in conversation.trajectory.turns for reply in turn.replies]
    return Row(
        name=entry.name,
        classes=entry.classes,
        turns=len(entry.turns),
        silent_turns=sum(not turn.calls for turn in entry.turns),
        calls=len(entry.calls),
        most_at_once=max(len(reply.calls) for reply in replies),
        same_state=found.same_state,
        differences=found.differences,
        seconds=round(time.monotonic() - began, 2),
    )


def summary(report: Report) -> Table:
    """Return the numbers as a table, a line for each backend and one for all."""
    table = Table(title=f"BFCL v4, multi-turn, {report.category}", title_justify="left", show_edge=False)
    for name in ("conversations with", "number", "turns", "calls", "at once", "equal state", "equal in all"):
        table.add_column(name, justify="left" if name == "conversations with" else "right")
    for backend in sorted({name for row in report.rows for name in row.classes}):
        table.add_row(backend, *_cells([row for row in report.rows if backend in row.classes]))
    table.add_section()
    table.add_row("any", *_cells(report.rows))
    return table


def _cells(rows: Sequence[Row]) -> list[str]:
    return [
        str(len(rows)),
        str(sum(row.turns for row in rows)),
        str(sum(row.calls for row in rows)),
        str(max((row.most_at_once for row in rows), default=0)),
        str(sum(row.same_state for row in rows)),
        str(sum(not row.differences for row in rows)),
    ]


def spread(numbers: Iterable[int]) -> str:
    """Return how often each number occurs: ``2: 7, 3: 20``."""
    return ", ".join(f"{number}: {times}" for number, times in sorted(Counter(numbers).items()))


def run(options: argparse.Namespace) -> int:
    """Replay and print."""
    began, root = time.monotonic(), find_project_root()
    found = entries(options.category)
    report = Report(options.category, load=round(os.getloadavg()[0], 1))
    known = functions()
    report.left_out = {entry.name: why for entry in found if (why := unplayable(entry, known))}
    wanted = [entry for entry in found if not options.only or entry.name.rpartition("_")[2] in options.only]
    chosen = [entry for entry in wanted if entry.name not in report.left_out][: options.limit]
    report.tools = len({method for entry in chosen for method in called(entry)})
    replay_all(chosen, report, root)
    report.seconds = round(time.monotonic() - began, 1)
    return _tell(report, options, root)


def _tell(report: Report, options: argparse.Namespace, root: Path) -> int:
    OUT.print(summary(report))
    OUT.print(f"Calls of a conversation, and how many have so many: {spread(row.calls for row in report.rows)}")
    silent = [row.name for row in report.rows if row.silent_turns]
    OUT.print(f"With a turn that takes no call: {', '.join(silent) or 'none'}", soft_wrap=True)
    OUT.print(f"{report.tools} tools on {report.twins} twins, one after the other; {report.seconds:,.0f} s")
    for why, times in Counter(report.left_out.values()).items():
        first = next(name for name, reason in report.left_out.items() if reason == why)
        OUT.print(f"Left out: {times} where {why} ({first}{', ...' if times > 1 else ''})", soft_wrap=True)
    if options.json:
        path = root / ".pentad" / "bench-trajectories.json"
        write_report(path, {"at": datetime.now(UTC).isoformat(timespec="seconds"), **asdict(report)})
        OUT.print(f"The whole record: {path}", soft_wrap=True)
    for line in report.wrong or ([] if report.rows else ["no conversation was played"]):
        ERR.print(f"[red]wrong:[/] {line}", soft_wrap=True)
    return 1 if report.wrong or not report.rows else 0


def main(given: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, or 1 where anything differs."""
    options = arguments(given)
    return ended(lambda: run(options))


if __name__ == "__main__":
    raise SystemExit(main())
