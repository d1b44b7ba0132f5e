"""``python -m benchmarks.observability``: what observing costs, with and without each of its parts, side by side.

Two things: what the import of telemetry adds to a function that has what every function has; and what one turn (a
model's attempt, a tool call, the end of its run) takes and writes, as the layers' own code reports it. All variants
take turns in one process, or in processes of their own, so that a busy machine slows all of them: ratios are what
counts. Exit code 1 where a count is not what the design promises; times are told, and not judged.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table

from benchmarks.entry import ended
from benchmarks.terminal import OUT
from benchmarks.turn import Promise
from pentad.cli.demo.record import write_report
from pentad.cli.synth import find_project_root
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.models import CallContext, Outcome, StopReason
from pentad.domain.runs import CallStatus, Run, RunStatus, ToolCall
from pentad.domain.tracing import EndedSpan, SpanKind, SpanValue, TraceContext
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import Link, load
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.ledger.attempts import Attempts
from pentad.observability.adapters.null import NullSpan, NullTelemetry
from pentad.observability.adapters.powertools import PowertoolsTelemetry
from pentad.observability.logs import redact as redacting
from pentad.observability.metrics import names
from pentad.observability.ports import Attribute, Span
from pentad.orchestration.lifecycle.announce_end import publish_finished
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.call_audit import CallAudit, CallTry, Invocation

MOST_BYTES, MOST_LINES = 12_000, 20
"""Of one turn with a tool call and the end of its run."""
MOST_MODULES = 150
GB_NANOUSD = 500_000_000
"""A GB of logs taken in: $0.50 ("Amazon CloudWatch pricing", us-east-1, November 2026)."""
_NOW = datetime(2026, 11, 30, tzinfo=UTC)
# Lambda's own runtime has logging and what that needs.
_HAS = (
    "import logging, traceback, importlib.util, json, pydantic, "
    "pentad.domain.errors, pentad.domain.runs, pentad.domain.tracing"
)
_IMPORTS = {
    "without": "import pentad.observability.adapters.null",
    "with": "import pentad.observability.adapters.powertools",
}
_PROBE = """
import sys, time
{has}
modules, cpu, wall = len(sys.modules), time.process_time(), time.perf_counter()
{added}
print(len(sys.modules) - modules, (time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000)
"""


@dataclass(frozen=True)
class Imported:
    """What an import adds: modules, and milliseconds (medians)."""

    what: str
    modules: int
    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True)
class Turn:
    """What one turn takes with some parts of telemetry: microseconds of CPU (median), bytes and lines."""

    parts: str
    cpu_us: float
    bytes: int
    lines: int


class SomeParts:
    """Telemetry with some of its parts; the others keep nothing."""

    def __init__(self, inner: PowertoolsTelemetry, *, logs: bool, metrics: bool, spans: bool) -> None:
        self._inner, self._logs, self._metrics, self._spans = inner, logs, metrics, spans

    def bind(self, **keys: Attribute | None) -> AbstractContextManager[None]:
        """See `PowertoolsTelemetry`."""
        return self._inner.bind(**keys)

    def span(
        self,
        name: str,
        attributes: Mapping[str, SpanValue] | None = None,
        *,
        kind: SpanKind = "INTERNAL",
        place: TraceContext | None = None,
    ) -> AbstractContextManager[Span]:
        """See `Telemetry`."""
        if self._spans:
            return self._inner.span(name, attributes, kind=kind, place=place)
        return nullcontext(NullSpan())

    def record_span(self, span: EndedSpan) -> None:
        """See `Telemetry`."""
        if self._spans:
            self._inner.record_span(span)

    def join(self, place: TraceContext) -> None:
        """See `Telemetry`."""
        self._inner.join(place)

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        """See `Telemetry`."""
        if self._metrics:
            self._inner.count(name, value, unit=unit, **dimensions)

    def log_event(self, name: str, /, *, level: str = "INFO", **fields: Attribute | None) -> None:
        """See `Telemetry`."""
        if self._logs:
            self._inner.log_event(name, level=level, **fields)


class _Nowhere:
    """A bus that nobody listens to."""

    def publish(self, detail_type: str, detail: dict[str, Any]) -> None:
        """See `EventPublisher`."""


def take_turn(telemetry: Any) -> None:
    """Do what three functions report of a turn: the gateway, the tool runner, and Deliver."""
    keys = {"tenant": "acme", "run": _RUN.run_id, "session": "ses_1", "agent": "assistant", "step": 1}
    with telemetry.bind(request_id="req-1", **keys):
        attempts = Attempts(
            _CONTEXT, "primary", MemoryLedger(), _NOW.timestamp, lambda kind, at: f"{kind}_1", telemetry
        )
        used = Usage(input_tokens=900, output_tokens=120, cache_read_tokens=4_000)
        attempts.record(_LINK, attempts.begin(_LINK), Outcome.OK, usage=used, request_id="req_9", stop=StopReason.END)
        telemetry.count(names.TURNS, agent="assistant", decision="tools")
    with telemetry.bind(request_id="req-2", **keys, index=0):
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "calculator"}
        with telemetry.span("execute_tool calculator", attributes) as span:
            span.set("pentad.outcome", "ok")
        audit = CallAudit(MemoryAudit(), None, telemetry, lambda: _NOW, lambda: 1.0)
        audit.end(_TRY, "executed", "ok", None)
        telemetry.log_event("tool.ran", tool="calculator", outcome="ok")
    with telemetry.bind(request_id="req-3", **keys):
        publish_finished(_RUN, _Nowhere(), telemetry)
        telemetry.log_event("run.ended", status="succeeded", cost_nanousd=1_200_000)


_RUN = Run(
    run_id="run_" + "0" * 26,
    session_id="ses_1",
    tenant_id="acme",
    agent="assistant",
    trigger="api",
    status=RunStatus.SUCCEEDED,
    request_seq=0,
    request_hash="x",
    created_at=_NOW,
    updated_at=_NOW,
    ended_at=_NOW + timedelta(seconds=4),
)
_CALL = ToolCall(
    tenant_id="acme",
    run_id=_RUN.run_id,
    step=1,
    index=0,
    call_id="call_1",
    tool="calculator",
    arguments={"expression": "1 + 1"},
    arguments_hash="0" * 64,
    status=CallStatus.SUCCEEDED,
)
_TRY = CallTry(
    ToolSpec(name="calculator", description="Computes.", input_schema={"type": "object"}, effects="none"),
    _CALL,
    _RUN,
    Invocation("req-2"),
    "key",
    _NOW,
    0.0,
)
_CONTEXT = CallContext(tenant_id="acme", run_id=_RUN.run_id, session_id="ses_1", agent="assistant", step=1)
_LINK = Link(position=0, model=load().used_models[0])


@contextmanager
def _without_redaction() -> Iterator[None]:
    kept = vars(redacting)["redact"]
    vars(redacting)["redact"] = lambda record, **_: record
    try:
        yield
    finally:
        vars(redacting)["redact"] = kept


def measure_turns(samples: int, repeats: int) -> list[Turn]:
    """Return what a turn takes with each choice of parts; the choices take turns.

    Args:
        samples: how often each choice is timed.
        repeats: turns of a sample.
    """
    stream = io.StringIO()
    whole = PowertoolsTelemetry(service="bench-observability", stage="dev", stream=stream)
    choices: dict[str, tuple[Any, Callable[[], AbstractContextManager[None]]]] = {
        "nothing": (NullTelemetry(), nullcontext),
        "logs": (SomeParts(whole, logs=True, metrics=False, spans=False), nullcontext),
        "metrics": (SomeParts(whole, logs=False, metrics=True, spans=False), nullcontext),
        "spans": (SomeParts(whole, logs=False, metrics=False, spans=True), nullcontext),
        "all": (SomeParts(whole, logs=True, metrics=True, spans=True), nullcontext),
        "all, not redacted": (SomeParts(whole, logs=True, metrics=True, spans=True), _without_redaction),
    }
    times: dict[str, list[float]] = {name: [] for name in choices}
    sizes: dict[str, tuple[int, int]] = {}
    for _ in range(samples + 1):
        for name, (telemetry, around) in choices.items():
            stream.seek(0)
            stream.truncate()
            began = time.process_time()
            with around():
                for _ in range(repeats):
                    take_turn(telemetry)
            times[name].append((time.process_time() - began) / repeats * 1e6)
            text = stream.getvalue()
            sizes[name] = len(text.encode()) // repeats, text.count("\n") // repeats
    # The first of each warms up.
    return [Turn(name, median(took[1:]), *sizes[name]) for name, took in times.items()]


def measure_imports(samples: int) -> list[Imported]:
    """Return what the import adds, in fresh processes that take turns."""
    found: dict[str, list[tuple[int, float, float]]] = {name: [] for name in _IMPORTS}
    root = find_project_root()
    # With bytecode, as Lambda's layers bring it; the first process of each, which is not counted, writes it.
    with TemporaryDirectory(prefix="pentad-bytecode-") as bytecode:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "shared")]),
            "PYTHONPYCACHEPREFIX": bytecode,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        for _ in range(samples + 1):
            for name, added in _IMPORTS.items():
                found[name].append(_import_once(_PROBE.format(has=_HAS, added=added), environment))
    return [
        Imported(name, many[-1][0], median(one[1] for one in many[1:]), median(one[2] for one in many[1:]))
        for name, many in found.items()
    ]


def _import_once(probe: str, environment: Mapping[str, str]) -> tuple[int, float, float]:
    """Return the modules that a fresh process has more, and the milliseconds of CPU and of the clock that it took."""
    made = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=120, env=environment
    )
    modules, cpu, wall = made.stdout.split()
    return int(modules), float(cpu), float(wall)


def promise(turns: Sequence[Turn], imported: Sequence[Imported]) -> list[Promise]:
    """Return what the design promises of the counts."""
    whole = next(one for one in turns if one.parts == "all")
    added = imported[1].modules - imported[0].modules
    return [
        Promise("bytes logged of a turn", f"{MOST_BYTES:,} at most", f"{whole.bytes:,}", whole.bytes <= MOST_BYTES),
        Promise("lines logged of a turn", f"{MOST_LINES} at most", str(whole.lines), whole.lines <= MOST_LINES),
        Promise("modules that telemetry adds", f"{MOST_MODULES} at most", str(added), added <= MOST_MODULES),
    ]


def _show(turns: Sequence[Turn], imported: Sequence[Imported]) -> None:
    table = Table("telemetry", "modules", "ms of CPU", "ms", title="What an import adds to a function")
    for one in imported:
        table.add_row(one.what, str(one.modules), f"{one.cpu_ms:.1f}", f"{one.wall_ms:.1f}")
    OUT.print(table)
    bare, whole = turns[0].cpu_us, next(one for one in turns if one.parts == "all")
    table = Table("parts", "µs of CPU", "of all", "bytes", "lines", "logs, USD of a million", title="A turn")
    for turn in turns:
        share = (turn.cpu_us - bare) / (whole.cpu_us - bare)
        usd = turn.bytes * 1e6 / 1e9 * GB_NANOUSD / 1e9
        table.add_row(
            turn.parts, f"{turn.cpu_us:,.0f}", f"{share:.2f}", f"{turn.bytes:,}", str(turn.lines), f"{usd:.2f}"
        )
    OUT.print(table)


def run(options: argparse.Namespace) -> int:
    """Measure and print."""
    load_before = os.getloadavg()[0]
    imported, turns = measure_imports(options.samples), measure_turns(options.samples, options.repeats)
    _show(turns, imported)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    OUT.print(f"{at}, {os.cpu_count()} cores, load {load_before:.1f} before and {os.getloadavg()[0]:.1f} after")
    promises = promise(turns, imported)
    for one in promises:
        OUT.print(f"{'kept' if one.kept else '[red]broken[/]'}: {one.what}: {one.counted} (promised: {one.promised})")
    if options.json:
        record = {"imports": [asdict(one) for one in imported], "turns": [asdict(one) for one in turns]}
        path = Path(find_project_root()) / ".pentad" / "bench-observability.json"
        write_report(path, {"at": at, "load": load_before, **json.loads(json.dumps(record))})
    return 0 if all(one.kept for one in promises) else 1


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.observability", description=__doc__)
    parser.add_argument("--json", action="store_true", help="write everything to .pentad/bench-observability.json too")
    parser.add_argument("--samples", type=int, default=10, help="how often each is measured (default 10)")
    parser.add_argument("--repeats", type=int, default=50, help="turns of a sample (default 50)")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, or 1 where a promise is broken or a measurement failed."""
    options = arguments(given)
    return ended(lambda: run(options))


if __name__ == "__main__":
    raise SystemExit(main())
