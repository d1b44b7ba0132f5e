"""The lines of one run, over all log groups of a stage, in the order of time. Pure but for the source that it asks."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pentad.domain.errors import NotFound
from pentad.domain.reading.json_text import read_json
from pentad.observability.logs.ports import LogSource, StoredLine, TooManyPages

Json = dict[str, Any]

FUNCTIONS: Final = "/aws/lambda/{prefix}-"
"""What the log groups of a stage's functions begin with."""
MACHINES: Final = "/aws/vendedlogs/states/{prefix}-"
"""What the log groups of a stage's state machines begin with."""
CONTENTS: Final = "/pentad/{prefix}/contents"
"""The log group of what was said in runs, where a stage keeps it."""
_THREADS: Final = 5
"""CloudWatch Logs takes 5 to 25 of these requests a second, by region."""
_WORDS: Final = 20
"""Invocations of one request: a filter pattern has at most 1,024 characters."""
_MOST_INVOCATIONS: Final = 200
"""Invocations of one group whose text is looked for."""
_EARLIER: Final = timedelta(minutes=1)
"""The clocks of who made a run's id and of who writes lines may differ."""
_TEXT: Final = re.compile(r"\[(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\]\s+\S+\s+\S+\s+(?P<message>.*)", re.S)
_LEVEL_OF_TEXT: Final = re.compile(r"(?i)timed out|Error|exited|Status: (?:error|timeout|failed)")
_FRAME: Final = re.compile(r"(?:START|END|REPORT|INIT_START|RESTORE_START|RESTORE_REPORT|XRAY)\b")
_NAME: Final = 7
"""Where the name stands in an execution's ARN."""
_OF_MACHINE: Final = re.compile(r"Failed$|TimedOut$|Aborted$|^Execution")
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True)
class RunLine:
    """One line of a run.

    Attributes:
        line_id: what the store knows it by.
        at: when it was written.
        group: its log group.
        service: the function, or the state machine.
        level: how bad.
        fields: what it holds, by the schema's names; of text that Lambda or a library wrote, ``message`` alone.
    """

    line_id: str
    at: datetime
    group: str
    service: str
    level: str
    fields: Mapping[str, Any]

    @property
    def ends_run(self) -> bool:
        """Whether it is the span of the whole run, which whoever ends the run writes."""
        span = self.fields.get("span")
        return isinstance(span, Mapping) and str(span.get("name")).startswith(("invoke_agent", "invoke_workflow"))


@dataclass
class FoundLines:
    """What a look has found.

    Attributes:
        lines: by time.
        notes: what was left out, and what to do, for a reader.
    """

    lines: list[RunLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_begin(run_id: str, now: datetime) -> datetime | None:
    """Return when a run began, as its id tells it; None where the id is a hash (of a request's idempotency key)."""
    number = 0
    for character in run_id.removeprefix("run_"):
        number = number << 5 | _ALPHABET.index(character)
    try:
        begun = datetime.fromtimestamp((number >> 80) / 1000, UTC)
    except (OverflowError, ValueError):
        return None
    # The first digits of a hash are a time within the last years once in some thousand.
    return begun - _EARLIER if now - timedelta(days=3650) < begun <= now + _EARLIER else None


class RunLines:
    """Looks for a run's lines.

    Args:
        source: where lines are kept.
        prefix: of the deployment's names: ``pentad-dev``.
        run_id: which run.
        tenant_id: whose lines alone are shown; None for whosever run it is.
    """

    def __init__(self, source: LogSource, prefix: str, run_id: str, *, tenant_id: str | None = None) -> None:
        self._source = source
        self._prefix = prefix
        self._run_id = run_id
        self._tenant_id = tenant_id
        # By group. A later look asks for those of an earlier one too: Lambda may end one minutes after its last line.
        self._invocations: dict[str, dict[str, None]] = {}

    def find(self, since: datetime, until: datetime | None = None) -> FoundLines:
        """Return the lines of the run in a stretch of time.

        Raises:
            NotFound: the stage has no log group of a function.
            PolicyDenied, StoreUnavailable: see `LogSource`.
        """
        functions = self._source.list_groups(FUNCTIONS.format(prefix=self._prefix))
        if not functions:
            raise NotFound(
                f"no log group begins with '{FUNCTIONS.format(prefix=self._prefix)}'",
                fix="look at the account, the region and --stage",
            )
        groups = [*functions, *self._source.list_groups(MACHINES.format(prefix=self._prefix))]
        found = FoundLines()
        with ThreadPoolExecutor(_THREADS, "logs") as pool:
            for one in pool.map(lambda group: self._read_group(group, since, until), groups):
                found.lines += one.lines
                found.notes += one.notes
        if self._tenant_id is not None and not any("tenant" in line.fields for line in found.lines):
            found.lines = []  # lines of an execution do not say whose it is: the run's own have to
        found.lines.sort(key=lambda line: (line.at, line.group))  # of one time they stay as they were written
        return found

    def find_contents(self, since: datetime, until: datetime | None = None) -> FoundLines:
        """Return what was said in the run, each line once; none where the stage keeps no contents, or not yet.

        Raises:
            PolicyDenied, StoreUnavailable: see `LogSource`.
        """
        found, group = FoundLines(), CONTENTS.format(prefix=self._prefix)
        reading = self._source.iter_lines(group, [self._run_id], since=since, until=until)
        once: dict[str, RunLine] = {}
        for stored in _read_pages(reading, found, group):
            line = self._read(stored)
            if line is not None and isinstance(line.fields.get("text"), str):
                once.setdefault(str(line.fields.get("line")), line)
        found.lines = list(once.values())
        return found

    def _read_group(self, group: str, since: datetime, until: datetime | None) -> FoundLines:
        found = FoundLines()
        reading = self._source.iter_lines(group, [self._run_id], since=since, until=until)
        found.lines = [line for one in _read_pages(reading, found, group) if (line := self._read(one)) is not None]
        invocations = self._invocations.setdefault(group, {})
        for line in found.lines:
            if isinstance(line.fields.get("request_id"), str):
                invocations[str(line.fields["request_id"])] = None
        if len(invocations) > _MOST_INVOCATIONS:
            found.notes.append(f"'{group}': what Lambda itself said was read of {_MOST_INVOCATIONS} invocations only")
        wanted = list(invocations)[:_MOST_INVOCATIONS]
        for start in range(0, len(wanted), _WORDS):
            reading = self._source.iter_lines(group, wanted[start : start + _WORDS], since=since, until=until)
            found.lines += [line for one in _read_pages(reading, found, group) if (line := _read_text(one))]
        return found

    def _read(self, stored: StoredLine) -> RunLine | None:
        """Return a line of the run; None where it only names it."""
        fields = _parse(stored.text)
        if fields is None or "_aws" in fields:
            return None
        if stored.group.startswith(MACHINES.format(prefix=self._prefix)):
            return self._read_transition(stored, fields)
        told = (fields.get("run"), fields.get("tenant"))
        if told[0] != self._run_id or (self._tenant_id is not None and told[1] != self._tenant_id):
            return None
        service = str(fields.get("service") or _name_service(stored.group))
        level = str(fields.get("level") or "INFO")
        return RunLine(stored.line_id, stored.at, stored.group, service, level, fields)

    def _read_transition(self, stored: StoredLine, fields: Json) -> RunLine | None:
        """Return a line of Step Functions: the ends of an execution, and what went wrong in it."""
        # arn:aws:states:region:account:execution:machine:name, and of Express: ...:express:machine:name:id
        name = (str(fields.get("execution_arn", "")).split(":", _NAME + 1) + [""] * _NAME)[_NAME]
        kind = str(fields.get("type", ""))
        is_own = name == self._run_id or name.startswith(f"{self._run_id}-")
        if not is_own or not _OF_MACHINE.search(kind):
            return None
        level = "ERROR" if kind.endswith(("Failed", "TimedOut", "Aborted")) else "INFO"
        told = {"message": kind, **fields}
        return RunLine(stored.line_id, stored.at, stored.group, stored.group.rpartition("/")[2], level, told)


def follow_lines(
    look: Callable[[datetime], FoundLines],
    since: datetime,
    *,
    pause: Callable[[], bool],
    late: timedelta = timedelta(seconds=20),
) -> Iterator[FoundLines]:
    """Yield what is new of a run, again and again: until its end was told, and two more looks found nothing.

    Args:
        look: finds the lines from a time on.
        since: from when on.
        pause: waits a moment; False where the time to follow is over.
        late: how much later than it was written a line may be found.
    """
    seen: set[str] = set()
    ended, silent = False, 0
    while True:
        found = look(since)
        fresh = [line for line in found.lines if (line.group + line.line_id) not in seen]
        seen.update(line.group + line.line_id for line in fresh)
        if fresh:
            since = max(since, fresh[-1].at - late)
        silent = 0 if fresh else silent + 1
        ended = ended or any(line.ends_run for line in fresh)
        yield FoundLines(fresh, found.notes)
        if (ended and silent >= 2) or not pause():
            return


def _read_pages(reading: Iterable[StoredLine], found: FoundLines, group: str) -> Iterator[StoredLine]:
    try:
        yield from reading
    except TooManyPages:
        found.notes.append(f"'{group}' has more pages than are read: give a later --since or an earlier --until")


def _read_text(stored: StoredLine) -> RunLine | None:
    """Return what Lambda or a library has said in an invocation; None of its frame, and of lines that are ours."""
    if _parse(stored.text) is not None or (_FRAME.match(stored.text) and "Status:" not in stored.text):
        return None
    found = _TEXT.fullmatch(stored.text.rstrip())
    message = found["message"] if found else stored.text.rstrip()
    level = found["level"] if found else "ERROR" if _LEVEL_OF_TEXT.search(stored.text) else "INFO"
    group = stored.group
    return RunLine(stored.line_id, stored.at, group, _name_service(group), level, {"message": message})


def _parse(text: str) -> Json | None:
    try:
        line = read_json(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def _name_service(group: str) -> str:
    """Return a function without the deployment's prefix: ``gateway`` of ``/aws/lambda/pentad-dev-gateway``."""
    name = group.rpartition("/")[2]
    return "-".join(name.split("-")[2:]) or name


def choose_lines(lines: Sequence[RunLine], least: str) -> list[RunLine]:
    """Return the lines from a level on."""
    return [line for line in lines if line.level not in _LEVELS or _LEVELS.index(line.level) >= _LEVELS.index(least)]
