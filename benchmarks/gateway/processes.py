"""The processes of a comparison: the server, and one of contenders for each environment."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.gateway.figures import Tally
from benchmarks.stage import BenchError

_STOP_SECONDS = 10.0
_CALL_SECONDS = 60.0
# Nothing of the caller's: no keys, no proxies. LiteLLM would fetch its price table on import.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONPATH": ".:shared"}


@contextmanager
def process(root: Path, python: Path, module: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a module and stop it at the end."""
    started = subprocess.Popen(
        [str(python), "-m", module, *arguments],
        cwd=root,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdin is not None and started.stdout is not None
    try:
        yield started
    finally:
        started.stdin.close()
        try:
            started.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait(_STOP_SECONDS)
        started.stdout.close()


@contextmanager
def server(root: Path) -> Iterator[str]:
    """Run the fake provider; yields its URL."""
    with process(root, Path(sys.executable), "benchmarks.gateway.server") as started:
        assert started.stdout is not None
        port = started.stdout.readline().strip()
        if not port:
            raise BenchError("the fake provider did not start")
        yield f"http://127.0.0.1:{port}"


def requests_at(base: str) -> dict[str, int]:
    """Return what the server counted so far."""
    with urllib.request.urlopen(f"{base}/counts", timeout=_CALL_SECONDS) as reply:  # noqa: S310, on the loopback
        counts: dict[str, int] = json.load(reply)
    return counts


class Worker:
    """A process of contenders.

    Args:
        started: the process.
        tally: where its calls are counted.
    """

    def __init__(self, started: "subprocess.Popen[str]", tally: Tally) -> None:
        self._started = started
        self._tally = tally

    def one_by_one(self, contender: str, calls: int) -> tuple[list[float], list[float]]:
        """Return milliseconds of each call: by the clock, and of the processor."""
        found = self._timed("one_by_one", contender, calls)
        return [each / 1e6 for each in found["ns"]], [each / 1e6 for each in found["cpu_ns"]]

    def at_once(self, contender: str, calls: int) -> float:
        """Return calls a second by eight threads."""
        [nanoseconds] = self._timed("at_once", contender, calls)["ns"]
        return calls / (nanoseconds / 1e9)

    def facts(self) -> dict[str, Any]:
        """Return what the process has to tell."""
        return self._ordered({"do": "facts"})

    def _timed(self, do: str, contender: str, calls: int) -> dict[str, list[int]]:
        found = self._ordered({"do": do, "contender": contender, "calls": calls})
        self._tally.calls[contender] = self._tally.calls.get(contender, 0) + calls
        return found

    def _ordered(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._started.stdin is not None and self._started.stdout is not None
        name = order.get("contender", "contenders")
        try:
            self._started.stdin.write(json.dumps(order) + "\n")
            self._started.stdin.flush()
        except BrokenPipeError as error:
            raise BenchError(f"{name}: its process has ended") from error
        line = self._started.stdout.readline()
        if not line:
            raise BenchError(f"{name}: its process has ended")
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise BenchError(f"{name}: {told['error']}")
        return told
