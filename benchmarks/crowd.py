"""Many runs started at once: all are accepted and succeed, late, about in order of arrival, within bounded memory."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from benchmarks.stage import AGENT, BenchError, Stage
from benchmarks.timing import Spread, spread
from benchmarks.turn import Promise
from pentad.cli.client import send_request

AT_ONCE = (10, 50, 200)
MOST_MEMORY_MB = 8_000
_LOOKS_A_SECOND = 20.0
"""Of all clients together: each looks at its run now and then, as clients do."""
_SECONDS = 1_200.0
_WATCH_SECONDS = 2.0
_OPEN = ("queued", "running")
Json = dict[str, Any]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Crowd:
    """How so many runs went.

    Attributes:
        at_once: how many were started at once.
        ends: how many ended how: a status, and the error where there is one.
        statuses: how many requests of the clients were answered with which HTTP status.
        wrong: runs whose answer is not that of their own question.
        accept_seconds: until a start was answered.
        end_seconds: from the first start to a run's end.
        overtaken: by how many runs that were created later a run was overtaken at most.
        memory_mb: the most that the twin and its functions held, in MB.
        processes: the most processes of functions.
    """

    at_once: int
    ends: dict[str, int]
    statuses: dict[int, int]
    wrong: int
    accept_seconds: Spread | None
    end_seconds: Spread | None
    overtaken: int
    memory_mb: int
    processes: int

    def make_promises(self) -> list[Promise]:
        """Return what is promised of runs at once."""
        name, count = f"{self.at_once} runs at once", str(self.at_once)
        good, refused = self.ends.get("succeeded", 0), sum(n for status, n in self.statuses.items() if status >= 400)
        right = good - self.wrong
        return [
            Promise(f"{name}: succeeded", count, str(good), good == self.at_once),
            Promise(f"{name}: with the answer to their own question", count, str(right), right == self.at_once),
            Promise(f"{name}: requests refused", "0", str(refused), refused == 0),
            Promise(
                f"{name}: memory of twin and functions",
                f"<= {MOST_MEMORY_MB:,} MB",
                f"{self.memory_mb:,} MB",
                self.memory_mb <= MOST_MEMORY_MB,
            ),
        ]


@dataclass
class _Watch:
    """Looks at the memory of this process and of all below it until it is stopped.

    A function's process is a fork that shares most of its pages with the others: each page counts once, divided among
    those that hold it (PSS), where the kernel tells it.
    """

    most_mb: int = 0
    most_processes: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        own = psutil.Process()
        while not self._stop.wait(_WATCH_SECONDS):
            found = [own, *own.children(recursive=True)]
            self.most_mb = max(self.most_mb, sum(_read_memory(one) for one in found) // 1_000_000)
            self.most_processes = max(self.most_processes, len(found) - 1)

    def stop(self) -> None:
        self._stop.set()


def _read_memory(process: psutil.Process) -> int:
    try:
        found = process.memory_full_info()
        return int(getattr(found, "pss", 0) or found.rss)
    except psutil.Error:  # it has ended meanwhile
        return 0


def measure_crowds(stage: Stage, sizes: Sequence[int], tell: Tell) -> list[Crowd]:
    """Start so many runs at once, and wait for all of them, for each size.

    Raises:
        BenchError: some did not end in time.
    """
    stage.control.reset()
    found = []
    for size in sizes:
        tell(f"{size} runs at once")
        found.append(_measure_crowd(stage, size))
    return found


def _measure_crowd(stage: Stage, size: int) -> Crowd:
    watch, statuses, lock = _Watch(), Counter[int](), threading.Lock()
    client = httpx.Client(
        base_url=stage.client.url,
        headers={"Authorization": f"Bearer {stage.key}"},
        timeout=httpx.Timeout(120.0),
        # Many look less often than the default of 5 s, and a connection that expires may be closed under a thread that
        # has just taken it.
        limits=httpx.Limits(max_connections=size, max_keepalive_connections=size, keepalive_expiry=_SECONDS),
        trust_env=False,
    )
    began = time.monotonic()

    def send(method: str, path: str, body: Json | None = None) -> Json:
        reply = send_request(client, method, path, body=body)
        with lock:
            statuses[reply.status_code] += 1
        content: Json = reply.json()
        return content

    def start(number: int) -> tuple[float, str]:
        body = {"agent": AGENT, "message": f"What is {number} * 7?"}
        view = send("POST", "/v1/runs", body)
        return time.monotonic() - began, str(view.get("run_id", ""))

    def follow(started: tuple[float, str]) -> tuple[float, Json]:
        pause = max(0.5, size / _LOOKS_A_SECOND)
        while time.monotonic() - began < _SECONDS:
            view = send("GET", f"/v1/runs/{started[1]}")
            if "status" in view and view["status"] not in _OPEN and "run_id" in view:
                return time.monotonic() - began, view
            time.sleep(pause)
        raise BenchError(f"{size} runs at once: one did not end within {_SECONDS:g} s")

    watching = threading.Thread(target=watch.run, daemon=True)
    watching.start()
    try:
        with client, ThreadPoolExecutor(size) as threads:
            starts = list(threads.map(start, range(size)))
            ends = list(threads.map(follow, starts))
    finally:
        watch.stop()
        watching.join()
    views = [view for _, view in ends]
    return Crowd(
        at_once=size,
        ends=dict(Counter(f"{view['status']} {view.get('error') or ''}".strip() for view in views)),
        statuses=dict(sorted(statuses.items())),
        wrong=sum(str(number * 7) not in str(view.get("answer")) for number, view in enumerate(views)),
        accept_seconds=spread([seconds for seconds, _ in starts]),
        end_seconds=spread([seconds for seconds, _ in ends]),
        overtaken=count_overtaken([(str(view["created_at"]), str(view["ended_at"])) for view in views]),
        memory_mb=watch.most_mb,
        processes=watch.most_processes,
    )


def count_overtaken(times: Sequence[tuple[str, str]]) -> int:
    """Return by how many runs that were created later a run was overtaken at most.

    Args:
        times: when each was created, and when it ended, as texts that sort.
    """
    ends = [ended for _, ended in sorted(times)]
    return max((sum(later < end for later in ends[place + 1 :]) for place, end in enumerate(ends)), default=0)
