"""Count and time what each Lambda handler imports, in two checkouts side by side: ``python -m benchmarks.imports``.

A sample is a fresh process: it imports the handler's module (Lambda's init phase), then handles one event. A stub
answers every AWS request at once, with nothing found, so that what is left is imports and the making of clients. The
two checkouts take turns, so that a busy machine slows both. CPU time is the figure to compare: on a machine that does
other work too, wall time says more about that work.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.imports_events import CASES, ENVIRONMENT, Case

_PROBE_SECONDS = 120
_NOTHING: dict[str, Any] = {
    "Query": {"Items": [], "Count": 0},
    "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}},
    "TransactGetItems": {"Responses": [{}, {}, {}, {}]},
}
"""How DynamoDB says that it found nothing, where that is not ``{}``."""
_REFUSED = {"__type": "AccessDeniedException", "message": "a stub"}
_PROBE = """
import importlib, json, sys, time

class Context:
    aws_request_id = "request-1"
    function_name = "function"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:function"
    def get_remaining_time_in_millis(self):
        return 30_000

def taken():
    return {"modules": len(sys.modules), "cpu": time.process_time(), "wall": time.perf_counter()}

module, function, event = json.loads(sys.argv[1])
before = taken()
handler = getattr(importlib.import_module(module), function)
loaded = taken()
try:
    result = handler(event, Context())
    outcome = f"{result['statusCode']}" if isinstance(result, dict) and "statusCode" in result else "answer"
except Exception as error:
    outcome = type(error).__name__
done = taken()
print(json.dumps({"before": before, "loaded": loaded, "done": done, "outcome": outcome}), flush=True)
"""


@dataclass(frozen=True)
class Sample:
    """One process: modules and milliseconds of CPU, of the import alone and with the first invocation.

    Attributes:
        import_modules: modules that the import of the handler loaded.
        modules: modules loaded after the first invocation.
        import_cpu_ms: CPU time of the import.
        cpu_ms: CPU time of import and first invocation.
        wall_ms: wall time of import and first invocation.
        outcome: what the invocation came to: an answer's kind, or an error's class.
    """

    import_modules: int
    modules: int
    import_cpu_ms: float
    cpu_ms: float
    wall_ms: float
    outcome: str


class _Stub(BaseHTTPRequestHandler):
    """Every AWS service: DynamoDB has nothing, all others refuse."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        found = service.startswith("DynamoDB_")
        body = json.dumps(_NOTHING.get(operation, {}) if found else _REFUSED).encode()
        self.send_response(200 if found else 400)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    """Serves the stub; a process that ends with its connection open is no error."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@contextmanager
def _stub() -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), _Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def _catalog(checkout: Path) -> Path:
    """Return the folder that holds the package ``pentad_catalog``, as the last synth of a checkout built it.

    Raises:
        SystemExit: it was never synthesized.
    """
    built = sorted(checkout.glob("build/layer-catalog-*/python"), key=lambda folder: folder.stat().st_mtime)
    if not built:
        raise SystemExit(f"'{checkout}' has no catalog: run `make synth` in it first")
    return built[-1]


def _sample(checkout: Path, catalog: Path, case: Case, endpoint: str) -> Sample:
    """Run one process.

    Raises:
        SystemExit: it ended without its figures.
    """
    paths = (checkout / "shared", checkout, catalog)
    environment = {
        **ENVIRONMENT,
        **case.environment,
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": endpoint,
        "PYTHONPATH": ":".join(str(path) for path in paths),
    }
    command = [str(checkout / ".venv/bin/python"), "-c", _PROBE, json.dumps([case.module, case.function, case.event])]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    if done.returncode:
        raise SystemExit(f"'{case.name}' failed in '{checkout}':\n{done.stderr[-3000:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    before, loaded, after = told["before"], told["loaded"], told["done"]
    return Sample(
        import_modules=loaded["modules"] - before["modules"],
        modules=after["modules"] - before["modules"],
        import_cpu_ms=round(1000 * (loaded["cpu"] - before["cpu"]), 1),
        cpu_ms=round(1000 * (after["cpu"] - before["cpu"]), 1),
        wall_ms=round(1000 * (after["wall"] - before["wall"]), 1),
        outcome=told["outcome"],
    )


def measure(checkouts: Sequence[Path], cases: Sequence[Case], samples: int) -> dict[str, list[Sample]]:
    """Return the median sample of each checkout, by the case's name.

    Args:
        checkouts: the earlier one, then the later one.
        cases: what is imported and asked.
        samples: processes a case and checkout; one more comes first and is not counted.
    """
    catalogs = {checkout: _catalog(checkout) for checkout in checkouts}
    found: dict[str, list[Sample]] = {}
    with _stub() as endpoint:
        for case in cases:
            taken: dict[Path, list[Sample]] = {checkout: [] for checkout in checkouts}
            for turn in range(samples + 1):
                for checkout in checkouts if turn % 2 else reversed(checkouts):
                    sample = _sample(checkout, catalogs[checkout], case, endpoint)
                    if turn:  # The first process of each writes byte code.
                        taken[checkout].append(sample)
            found[case.name] = [_median(taken[checkout]) for checkout in checkouts]
            print(_line(case.name, *found[case.name]), flush=True)
    return found


def _median(samples: Sequence[Sample]) -> Sample:
    first = samples[0]
    return Sample(
        import_modules=first.import_modules,
        modules=first.modules,
        import_cpu_ms=median(one.import_cpu_ms for one in samples),
        cpu_ms=median(one.cpu_ms for one in samples),
        wall_ms=median(one.wall_ms for one in samples),
        outcome=first.outcome,
    )


def _line(name: str, before: Sample, after: Sample) -> str:
    outcome = before.outcome if before.outcome == after.outcome else f"{before.outcome} -> {after.outcome}"
    return (
        f"{name:24} modules {before.modules:5} -> {after.modules:5}  "
        f"CPU {before.cpu_ms:7.1f} -> {after.cpu_ms:7.1f} ms  x{after.cpu_ms / before.cpu_ms:.2f}  "
        f"wall x{after.wall_ms / before.wall_ms:.2f}  "
        f"(import alone {before.import_modules:5} -> {after.import_modules:5}, "
        f"{before.import_cpu_ms:6.1f} -> {after.import_cpu_ms:6.1f} ms)  {outcome}"
    )


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout with its .venv, synthesized once")
    parser.add_argument("after", type=Path, help="the checkout to compare with it")
    parser.add_argument("--samples", type=int, default=7, help="processes a handler and checkout (default 7)")
    parser.add_argument("--only", help="only the handlers whose name contains this")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args(given)
    cases = [case for case in CASES if options.only is None or options.only in case.name]
    found = measure([options.before.resolve(), options.after.resolve()], cases, options.samples)
    if options.json is not None:
        figures = {name: [asdict(one) for one in pair] for name, pair in found.items()}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
