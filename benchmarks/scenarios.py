"""What is measured on one twin, in order: cold starts, the counted cases, a growing session, times of an answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.crowd import Crowd
from benchmarks.requests import READS
from benchmarks.stage import Case, Stage
from benchmarks.timing import FunctionTimes, Spread, function_times, spread
from benchmarks.turn import Promise, Turn, constant_size, promises
from pentad.cli.commands.knowledge.ingest import ingest_all
from pentad.cli.console import CommandError

LONG_CHARACTERS = 100_000
"""The longest message that the API takes."""
HISTORY = (2, 10, 50)
_INGEST_SECONDS = 30.0
_DOCUMENT = Path("docs") / "architecture.md"
_CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("calculator", {"expression": "17.5 * (3 + 4)"}),
    ("date_time", {"operation": "difference", "start": "2026-01-01", "end": "2026-11-22"}),
    ("calculator", {"expression": "2 ^ 10"}),
)

PLAIN = Case("plain answer")
TOOLS = tuple(
    Case(f"{count} tool call{'s' if count > 1 else ''}", tool_calls=_CALLS[:count])
    for count in range(1, len(_CALLS) + 1)
)
LONG = Case(f"{LONG_CHARACTERS:,} characters", message=("word " * LONG_CHARACTERS)[:LONG_CHARACTERS])
PASSAGES = Case("with passages", message="What does the state machine of an agent carry?")

Tell = Callable[[str], None]


@dataclass
class Measured:
    """All that was found on one twin. Times of an answer are in milliseconds."""

    turns: list[Turn] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    functions: list[FunctionTimes] = field(default_factory=list)
    crowds: list[Crowd] = field(default_factory=list)
    answer_ms: Spread | None = None
    waiting_reads: float = 0.0

    def turn(self, name: str) -> Turn:
        """Return a case's turn."""
        return next(turn for turn in self.turns if turn.name == name)


def measure(stage: Stage, root: Path, samples: int, tell: Tell) -> Measured:
    """Go through all cases.

    Args:
        stage: the running twin.
        root: the project's folder.
        samples: how often the plain answer is timed.
        tell: is told what is being done.

    Raises:
        BenchError: a run did not end as it should.
    """
    found = Measured()
    tell("starting each function once")
    for case in (PLAIN, TOOLS[-1]):
        stage.ask(case)
    for case in (PLAIN, *TOOLS, LONG):
        tell(f"counting: {case.name}")
        found.turns.append(stage.measure(case))
    found.turns += _growing(stage, tell)
    tell("timing the plain answer")
    _answers(stage, samples, found)
    tell("counting: an answer with passages")
    _with_passages(stage, root, found)
    for turn in found.turns:
        found.promises += promises(turn)
    found.promises.append(constant_size(found.turn(PLAIN.name), found.turn(LONG.name)))
    found.functions = function_times(stage.reports())
    return found


def _growing(stage: Stage, tell: Tell) -> list[Turn]:
    """Measure the plain answer again and again in one session as it grows; an answer adds two messages."""
    turns: list[Turn] = []
    session, messages = None, 0
    for wanted in HISTORY:
        tell(f"counting: a session with {wanted} messages")
        while messages < wanted:
            session = stage.ask(PLAIN, session)["session"]
            messages += 2
        turns.append(stage.measure(Case(f"after {messages} messages"), session, messages=messages))
        messages += 2
    return turns


def _answers(stage: Stage, samples: int, found: Measured) -> None:
    times: list[float] = []
    stage.log.take()
    for _ in range(samples):
        began = time.monotonic()
        stage.ask(PLAIN)
        times.append((time.monotonic() - began) * 1000)
    api = stage.role_of("api")
    reads = [one for one in stage.log.take() if one.principal == api and one.operation in READS]
    # The first read of each start looks at the session; the others wait for the end.
    found.waiting_reads = len(reads) / samples - 1 if samples else 0.0
    found.answer_ms = spread(times)


def _with_passages(stage: Stage, root: Path, found: Measured) -> None:
    """Measure an answer from a document; one that is not indexed must not cost the numbers found so far."""
    try:
        [entry] = ingest_all(stage.client, {_DOCUMENT.as_posix(): root / _DOCUMENT}, _INGEST_SECONDS)
        status = str(entry["status"])
    except CommandError as error:
        status = str(error)
    found.promises.append(Promise(f"{_DOCUMENT}: ingest", "indexed", status, status == "indexed", check=True))
    if status == "indexed":
        found.turns.append(stage.measure(PASSAGES))
