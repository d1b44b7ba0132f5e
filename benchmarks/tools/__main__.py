"""``python -m benchmarks.tools``: what a call costs around its tool, and what many tools take of a model's window.

Exit code 1 where a count is not what the design promises; times are told, and not judged.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from benchmarks.entry import ended
from benchmarks.stage import stage
from benchmarks.terminal import ERR, OUT
from benchmarks.tools.corpus import load_corpus
from benchmarks.tools.finding import Hits, Tokens, count_hits, count_tokens
from benchmarks.tools.overhead import Overhead, measure
from benchmarks.turn import Promise
from pentad.cli.demo.record import write_report
from pentad.cli.synth import ensure_assembly, find_project_root

SIZES = (10, 100, 300)
LEAST_FIVE = 0.85
"""The right tool is among the first five for this share of the requests at least."""
MOST_SENT = 0.1
"""Of the definitions of 300 tools, where they are found by words."""
INVOCATIONS = 2
MOST_REQUESTS = 10
"""To DynamoDB, for a call without effects."""


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tools", description=__doc__)
    parser.add_argument("--json", action="store_true", help="write everything to .pentad/bench-tools.json too")
    parser.add_argument("--samples", type=int, default=10, help="how often a call is timed (default 10)")
    parser.add_argument("--words-only", action="store_true", help="without a twin: tokens and hit rates")
    return parser.parse_args(given)


def promise(tokens: Sequence[Tokens], hits: Sequence[Hits], overhead: Overhead | None) -> list[Promise]:
    """Return what the design promises of the counts."""
    most = tokens[-1]
    promises = [
        Promise(
            "300 tools, found by words: tokens that are sent",
            f"under {MOST_SENT:.0%} of all",
            f"{most.forced / most.every:.1%}",
            most.forced < MOST_SENT * most.every,
        ),
        *(
            Promise(
                f"the right of {one.tools} tools among the first five",
                f"{LEAST_FIVE:.0%} at least",
                f"{one.five:.1%}",
                one.five >= LEAST_FIVE,
            )
            for one in hits
        ),
    ]
    if overhead is not None:
        promises += [
            Promise(
                "Lambda invocations of a call",
                str(INVOCATIONS),
                str(overhead.invocations),
                overhead.invocations == INVOCATIONS,
            ),
            Promise(
                "DynamoDB requests of a call without effects",
                f"{MOST_REQUESTS} at most",
                str(overhead.requests),
                overhead.requests <= MOST_REQUESTS,
            ),
        ]
    return promises


def run(options: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        BenchError: a run did not end as it should.
    """
    began = time.monotonic()
    corpus, others = load_corpus(300), load_corpus(300, skip=300)
    tokens = [count_tokens(corpus, count) for count in SIZES]
    hits = [count_hits(corpus), count_hits(others)]
    overhead = None
    root = find_project_root()
    if not options.words_only:
        out, _ = ensure_assembly(root)
        with ERR.status("starting a twin"), stage(out) as running:
            overhead = measure(running, options.samples)
    _show(tokens, hits, overhead)
    promises = promise(tokens, hits, overhead)
    for one in promises:
        OUT.print(f"{'kept' if one.kept else '[red]broken[/]'}: {one.what}: {one.counted} (promised: {one.promised})")
    if options.json:
        found: dict[str, Sequence[Any]] = {"tokens": tokens, "hits": hits, "overhead": [overhead] if overhead else []}
        record = {name: [asdict(one) for one in many] for name, many in found.items()}
        at = datetime.now(UTC).isoformat(timespec="seconds")
        write_report(root / ".pentad" / "bench-tools.json", {"at": at, "seconds": time.monotonic() - began, **record})
    return 0 if all(one.kept for one in promises) else 1


def _show(tokens: Sequence[Tokens], hits: Sequence[Hits], overhead: Overhead | None) -> None:
    table = Table("tools", "all", "sent at 10 % of 200,000", "sent, found by words", "one find", title="Tokens a turn")
    for one in tokens:
        table.add_row(*(f"{number:,}" for number in (one.tools, one.every, one.sent, one.forced, one.found)))
    OUT.print(table)
    table = Table("tools", "requests", "first", "first five", "first ten", "ms", "index, ms", title="find_tools")
    for hit in hits:
        shares = (f"{share:.1%}" for share in (hit.first, hit.five, hit.ten))
        times = (f"{hit.milliseconds:.2f}", f"{hit.build_milliseconds:.0f}")
        table.add_row(str(hit.tools), str(hit.requests), *shares, *times)
    OUT.print(table)
    if overhead is None:
        return
    table = Table("a call of calculator", "", title="Around a call")
    table.add_row("Lambda invocations", str(overhead.invocations))
    table.add_row("DynamoDB requests", str(overhead.requests))
    table.add_row("read units, write units", f"{overhead.units.read:g}, {overhead.units.write:g}")
    table.add_row("requests to other services", str(overhead.other))
    table.add_row("runner, with the tool within it", f"{overhead.runner_ms:.1f} ms")
    table.add_row("tool's function", f"{overhead.tool_ms:.1f} ms")
    table.add_row("the code bare", f"{overhead.bare_ms:.3f} ms")
    table.add_row("runner, in the time of the tool's function", f"{overhead.ratio:.1f} times")
    table.add_row("tool's function, in the time of the code bare", f"{overhead.tool_ms / overhead.bare_ms:.0f} times")
    OUT.print(table)


def main(given: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, or 1 where a promise is broken or a measurement failed."""
    options = arguments(given)
    return ended(lambda: run(options))


if __name__ == "__main__":
    raise SystemExit(main())
