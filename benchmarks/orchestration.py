"""``python -m benchmarks.orchestration``: one turn behind 10, 100 and 1,000 messages, beside LangGraph in memory.

Exit code 1 where a count grows with the conversation that the design says does not.
"""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import orchestration_langgraph as langgraph
from benchmarks import orchestration_tables as tables
from benchmarks.entry import ended
from benchmarks.orchestration_units import Units, units_of
from benchmarks.requests import NOW_AND_THEN
from benchmarks.stage import BenchError, Case, Stage, stage
from benchmarks.terminal import ERR, OUT
from benchmarks.timing import Spread, spread
from benchmarks.turn import Promise, Turn, promises
from pentad.aws.table import Table
from pentad.cli.demo.record import write_report
from pentad.cli.synth import ensure_assembly, find_project_root
from pentad.domain.messages import Message, TextBlock
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.memory.sessions.adapters.sessions_dynamodb import DynamoSessions

SIZES = (10, 100, 1000)
PLAIN = Case("plain answer", message=langgraph.QUESTION)
TOOL = Case("1 tool call", message=langgraph.QUESTION, tool_calls=(("calculator", {"expression": "17.5 * (3 + 4)"}),))
_BATCH = 90
"""Messages in one write of the store: a transaction takes 100 items."""
_STORED_SLACK = 1_500
"""Bytes by which what a turn stores may differ: a counter of spend has parts taken at random, and a part may be new."""
_PAYLOAD_SLACK = 64
"""Bytes by which its largest payload may differ: numbers in it have more digits."""


@dataclass
class Measured:
    """One case behind so many messages. Times are milliseconds, as a client that waits sees them."""

    case: str
    messages: int
    turn: Turn
    units: Units
    milliseconds: Spread | None

    @property
    def requests(self) -> int:
        """DynamoDB requests for the session and the run; what is kept for a while in memory is read now and then."""
        return sum(row.count for row in self.turn.dynamodb if not NOW_AND_THEN.issuperset(row.kinds))

    @property
    def invocations(self) -> int:
        """Lambda invocations but the authorizer's, whose answer the API keeps for a while."""
        return sum(count for name, count in self.turn.invocations.items() if name != "authorizer")

    @property
    def stored(self) -> int:
        """Bytes that the turn left in tables and buckets."""
        return sum(one.bytes_net for one in self.turn.stored)


@dataclass
class Report:
    """All that was found."""

    load: float
    ours: list[Measured] = field(default_factory=list)
    theirs: list[langgraph.GraphTurn] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orchestration", description=__doc__)
    parser.add_argument("--json", action="store_true", help="write everything to .pentad/bench-orchestration.json too")
    parser.add_argument("--samples", type=_count, default=5, help="how often each turn is timed (default 5)")
    parser.add_argument(
        "--messages", type=int, nargs="+", default=list(SIZES), help="lengths of the conversation (default 10 100 1000)"
    )
    return parser.parse_args(given)


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 50:
        raise argparse.ArgumentTypeError("a number from 1 to 50")
    return number


def fill(running: Stage, session_id: str, wanted: int) -> None:
    """Let a session have so many messages, written by the real store."""
    twin = running.twin
    state = twin.outputs["pentad-dev-state"]["StateTable"]
    [bucket] = (b["Name"] for b in twin.get_admin_client("s3").list_buckets()["Buckets"] if "payload" in b["Name"])
    store = DynamoSessions(
        Table(twin.get_admin_client("dynamodb"), state),
        S3Objects(twin.get_admin_client("s3"), bucket),
        clock=lambda: datetime.now(UTC),
    )
    head = store.get("local", session_id)
    if head is None:
        raise BenchError(f"there is no session {session_id}")
    while head.length < wanted:
        many = min(_BATCH, wanted - head.length)
        made = [_message(head.length + number) for number in range(many)]
        head = store.append("local", session_id, made, expected_version=head.version)


def _message(number: int) -> Message:
    asked = number % 2 == 0
    return Message(
        message_id=f"msg_bench_{number:06d}",
        role="user" if asked else "assistant",
        blocks=(TextBlock(text=langgraph.QUESTION if asked else langgraph.ANSWER),),
        created_at=datetime.now(UTC),
    )


def ours(running: Stage, case: Case, messages: int, samples: int) -> Measured:
    """Measure a case in a session of so many messages.

    Raises:
        BenchError: a run did not succeed.
    """
    session = str(running.ask(PLAIN)["session"])
    fill(running, session, messages)
    turn = running.measure(case, session, messages=messages)
    mine = [one for one in running.requests if one.principal in running.principals]
    units = units_of(mine, running.twin.get_admin_client("dynamodb"))
    times = []
    for _ in range(samples):
        began = time.perf_counter()
        running.ask(case, session)
        times.append((time.perf_counter() - began) * 1000)
    return Measured(case.name, messages, turn, units, spread(times))


def growth(found: Sequence[Measured]) -> list[Promise]:
    """Return whether a case does the same however long the conversation is."""
    first, case = found[0], found[0].case
    made: list[Promise] = []
    for one in found[1:]:
        apart = f"{case}: {one.messages:,} messages against {first.messages:,}"
        for what, mine, other in (
            ("transitions", one.turn.transitions, first.turn.transitions),
            ("requests for session and run", one.requests, first.requests),
            ("invocations", one.invocations, first.invocations),
        ):
            made.append(Promise(f"{apart}: {what}", str(other), str(mine), mine == other))
        for what, mine, other, slack in (
            ("bytes stored", one.stored, first.stored, _STORED_SLACK),
            ("largest payload", one.turn.largest.bytes, first.turn.largest.bytes, _PAYLOAD_SLACK),
        ):
            kept = mine - other <= slack
            made.append(Promise(f"{apart}: {what}", f"at most {other + slack:,}", f"{mine:,}", kept))
    return made


def run(options: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        BenchError: a run did not end as it should.
        CommandError: the synth failed, or the API does not answer.
    """
    root = find_project_root()
    out, _ = ensure_assembly(root)
    report = Report(load=os.getloadavg()[0])
    sizes = sorted(set(options.messages))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        task = progress.add_task("starting a twin", total=6 * len(sizes) + 1)

        def tell(text: str) -> None:
            progress.update(task, description=text)
            if not ERR.is_terminal:
                ERR.print(f"[dim]{text}[/]")

        with stage(out) as running:
            for case in (PLAIN, TOOL):
                running.ask(case)  # cold starts are not the turn's
            progress.advance(task)
            for case in (PLAIN, TOOL):
                for size in sizes:
                    tell(f"Pentad: {case.name} behind {size:,} messages")
                    report.ours.append(ours(running, case, size, options.samples))
                    progress.advance(task)
        for deltas, calls, size in product((False, True), (0, 1), sizes):
            tell(f"LangGraph: {calls} tool calls behind {size:,} messages")
            report.theirs.append(langgraph.measure(size, calls, options.samples, deltas=deltas))
            progress.advance(task)
    for case in (PLAIN, TOOL):
        mine = [one for one in report.ours if one.case == case.name]
        report.promises += [promise for one in mine for promise in promises(one.turn)] + growth(mine)
    return _tell(report, options, root)


def _tell(report: Report, options: argparse.Namespace, root: Any) -> int:
    tables.show(OUT, report)
    if options.json:
        path = root / ".pentad" / "bench-orchestration.json"
        write_report(path, {"at": datetime.now(UTC).isoformat(timespec="seconds"), **asdict(report)})
        OUT.print(f"The whole record: {path}", soft_wrap=True)
    broken = [promise.what for promise in report.promises if not promise.kept]
    if broken:
        ERR.print(f"[red]broken:[/] {'; '.join(broken)}", soft_wrap=True)
    return 1 if broken else 0


def main(given: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, or 1 where a promise is broken or a measurement failed."""
    options = arguments(given)
    return ended(lambda: run(options))


if __name__ == "__main__":
    raise SystemExit(main())
