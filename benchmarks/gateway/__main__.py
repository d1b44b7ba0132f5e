"""``python -m benchmarks.gateway``: compare, print; exit code 1 where something did not run or a count is wrong."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.gateway import tables
from benchmarks.gateway.field import BY_NAME, FIELD, Entry
from benchmarks.gateway.figures import PerCall, Rate, Tally, per_call, rates
from benchmarks.gateway.loads import Load, all_loads
from benchmarks.gateway.processes import ENVIRONMENT, Worker, process, requests_at, server
from benchmarks.stage import BenchError
from benchmarks.terminal import ERR, OUT
from pentad.cli.console import EXIT_INTERRUPTED, CommandError
from pentad.cli.demo.record import write_report
from pentad.cli.synth import find_project_root

_WARM_CALLS = 8
_AIM = 1.3
_RUSHES = 5
"""Rounds with eight threads."""
_RUSH_CALLS = 100
_MODULES = {"pentad": "benchmarks.gateway.contenders", "litellm": "benchmarks.gateway.contenders_litellm"}


@dataclass(frozen=True)
class Compared:
    """All of one comparison."""

    calls: list[PerCall]
    rates: list[Rate]
    loads: list[Load]
    tally: Tally
    versions: dict[str, str]
    wrong: list[str]


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--json", action="store_true", help="write everything to .pentad/bench-gateway.json too")
    parser.add_argument("--rounds", type=int, default=60, help="rounds over all contenders (default 60)")
    parser.add_argument("--calls", type=int, default=10, help="calls of each contender in a round (default 10)")
    parser.add_argument("--loads", type=int, default=3, help="how often each library is loaded (default 3, 0 for not)")
    parser.add_argument("--litellm", type=Path, default=Path(".venv-bench"), help="the environment with LiteLLM")
    parser.add_argument("--without-litellm", action="store_true", help="leave LiteLLM out")
    return parser.parse_args(given)


def compare(options: argparse.Namespace, tell: Callable[[str], None]) -> Compared:
    """Return the comparison.

    Raises:
        BenchError: something did not run.
    """
    root, tally = find_project_root(), Tally(warm=frozenset({"pentad_hit"}))
    pythons = {"pentad": Path(sys.executable)}
    if not options.without_litellm:
        pythons["litellm"] = root / options.litellm / "bin" / "python"
        if not pythons["litellm"].exists():
            raise BenchError(f"there is no {options.litellm}: `make bench-gateway` makes it")
    entries = [entry for entry in FIELD if entry.home in pythons]
    with ExitStack() as stack:
        base = stack.enter_context(server(root))
        workers = {
            home: Worker(stack.enter_context(process(root, python, _MODULES[home], base)), tally)
            for home, python in pythons.items()
        }
        times, cpu = _rounds(entries, workers, options, tell)
        speeds = _speeds(entries, workers, options, tell)
        tally.requests = requests_at(base)
        facts = [worker.facts() for worker in workers.values()]
    tally.attempts = facts[0]["attempts"]
    tell("loading each library in fresh processes")
    loads = all_loads(root, pythons, ENVIRONMENT, options.loads) if options.loads else []
    versions = {name: version for one in facts for name, version in one["versions"].items()}
    return Compared(per_call(entries, times, cpu), rates(entries, speeds), loads, tally, versions, tally.wrong(entries))


def _rounds(
    entries: list[Entry], workers: dict[str, Worker], options: argparse.Namespace, tell: Callable[[str], None]
) -> tuple[dict[str, list[list[float]]], dict[str, list[list[float]]]]:
    """Return milliseconds by the clock and of the processor; the contenders take turns, so drift meets all."""
    times: dict[str, list[list[float]]] = {entry.name: [] for entry in entries}
    cpu: dict[str, list[list[float]]] = {entry.name: [] for entry in entries}
    for entry in entries:
        tell(f"warming up: {entry.label}")
        workers[entry.home].one_by_one(entry.name, _WARM_CALLS)
    for number in range(options.rounds):
        tell(f"round {number + 1} of {options.rounds}")
        for entry in entries:
            clock, processor = workers[entry.home].one_by_one(entry.name, options.calls)
            times[entry.name].append(clock)
            cpu[entry.name].append(processor)
    return times, cpu


def _speeds(
    entries: list[Entry], workers: dict[str, Worker], options: argparse.Namespace, tell: Callable[[str], None]
) -> dict[str, list[float]]:
    """Return calls a second by eight threads, round by round."""
    speeds: dict[str, list[float]] = {entry.name: [] for entry in entries}
    for entry in entries:
        workers[entry.home].at_once(entry.name, options.calls)
    for number in range(min(_RUSHES, options.rounds)):
        tell(f"eight threads, round {number + 1}")
        for entry in entries:
            speeds[entry.name].append(workers[entry.home].at_once(entry.name, _RUSH_CALLS))
    return speeds


def record(found: Compared, seconds: float) -> dict[str, Any]:
    """Return all of it as JSON takes it."""
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": round(seconds, 1), "aim": _AIM} | {
        **asdict(found),
        "tally": {"calls": found.tally.calls, "requests": found.tally.requests, "attempts": found.tally.attempts},
    }


def run(options: argparse.Namespace) -> int:
    """Compare and print.

    Raises:
        BenchError: something did not run.
    """
    began = time.monotonic()
    with ERR.status("starting") as status:

        def tell(text: str) -> None:
            status.update(text)
            if not ERR.is_terminal:
                ERR.print(f"[dim]{time.monotonic() - began:5.1f} s  {text}[/]")

        found = compare(options, tell)
    tables.show(OUT, found.calls, found.rates, found.loads)
    OUT.print(", ".join(f"{name} {version}" for name, version in found.versions.items()))
    for name in ("pentad", "pentad_fallback"):
        ratio = next(one.ratio for one in found.calls if one.entry.name == name)
        base = BY_NAME[BY_NAME[name].baseline].label
        OUT.print(f"{BY_NAME[name].label}: {ratio.median:.2f} times {base}; the aim is {_AIM} (told, not judged)")
    if options.json:
        path = find_project_root() / ".pentad" / "bench-gateway.json"
        write_report(path, record(found, time.monotonic() - began))
        OUT.print(f"The whole record: {path}", soft_wrap=True)
    for sentence in found.wrong:
        ERR.print(f"[red]wrong:[/] {sentence}", soft_wrap=True)
    return 1 if found.wrong else 0


def main(given: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, or 1 where something did not run or a count is wrong."""
    try:
        return run(arguments(given))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (BenchError, CommandError) as error:
        ERR.print(f"[red]error:[/] {error}", soft_wrap=True)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
