"""``python -m benchmarks``: count, measure, print; exit code 1 where a count is not what the design promises."""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from benchmarks import starts, tables
from benchmarks.crowd import AT_ONCE, measure_crowds
from benchmarks.entry import ended
from benchmarks.scenarios import Measured, measure
from benchmarks.stage import stage
from benchmarks.terminal import ERR, OUT
from benchmarks.timing import Spread
from pentad.cli.demo.record import write_report
from pentad.cli.synth import ensure_assembly, find_project_root

_READY_AIM = 8.0
_STARTS_SECONDS = 45.0


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="write everything to .pentad/bench.json too")
    parser.add_argument(
        "--starts", type=_count, default=5, help="how often `pentad up` is timed (default 5, 0 for not)"
    )
    parser.add_argument(
        "--at-once",
        type=_counts,
        default=AT_ONCE,
        metavar="N,N",
        help=f"how many runs are started at once (default {','.join(map(str, AT_ONCE))}; 0 for none)",
    )
    parser.add_argument("--samples", type=_count, default=20, help="how often a plain answer is timed (default 20)")
    return parser.parse_args(given)


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError("a number from 0 to 100")
    return number


def _counts(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in text.split(","))
    if not all(0 <= number <= 1000 for number in numbers):
        raise argparse.ArgumentTypeError("numbers from 0 to 1000, with commas between them")
    return tuple(number for number in numbers if number)


def report(found: Measured, phases: Mapping[str, Spread], seconds: float) -> dict[str, Any]:
    """Return all of it as JSON takes it."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "kept": all(promise.kept for promise in found.promises),
        "start_seconds": {name: asdict(one) for name, one in phases.items()},
        **asdict(found),
    }


def run(options: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        BenchError: a run did not end as it should.
        CommandError: the synth failed, or the API does not answer.
        StartFailed: `pentad up` does not come up.
    """
    began = time.monotonic()
    root = find_project_root()
    out, _ = ensure_assembly(root)
    with ERR.status("starting a twin") as status, stage(out) as running:

        def tell(text: str) -> None:
            status.update(text)
            if not ERR.is_terminal:
                ERR.print(f"[dim]{time.monotonic() - began:5.1f} s  {text}[/]")

        found = measure(running, root, options.samples, tell)
        found.crowds = measure_crowds(running, options.at_once, tell)
        found.promises += [promise for crowd in found.crowds for promise in crowd.make_promises()]
    with ERR.status("timing `pentad up`"):
        begun = starts.several(root, options.starts, _STARTS_SECONDS)
        phases = starts.by_phase(begun)
    tables.show(OUT, found)
    _show_starts(begun, phases)
    if options.json:
        path = root / ".pentad" / "bench.json"
        write_report(path, report(found, phases, time.monotonic() - began))
        OUT.print(f"The whole record: {path}", soft_wrap=True)
    broken = [promise.what for promise in found.promises if not promise.kept]
    if broken:
        ERR.print(f"[red]broken:[/] {'; '.join(broken)}", soft_wrap=True)
    return 1 if broken else 0


def _show_starts(begun: Sequence[starts.Start], phases: Mapping[str, Spread]) -> None:
    if phases:
        OUT.print(tables.start_table(phases))
        OUT.print(f"[dim]aim: start to ready under {_READY_AIM:g} s; times are reported, not judged[/]")
    cold = sum(1 for one in begun if not one.warm)
    if cold:
        OUT.print(f"{cold} of {len(begun)} starts left out: sources had changed, so cdk.out was made anew")


def main(given: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, or 1 where a promise is broken or a measurement failed."""
    options = arguments(given)
    return ended(lambda: run(options), starts.StartFailed)


if __name__ == "__main__":
    raise SystemExit(main())
