"""Report what a replay found: whether the run goes as it was recorded, and where it first differs."""

from typing import Any, Literal

from pydantic import Field

from pentad.domain.values import FrozenValue
from pentad.orchestration.timetravel.recording import MessagePrint, RequestPrint

What = Literal["context", "request", "decision", "calls", "human", "outcome", "failure"]
MAX_DIVERGENCES = 50
_CHARACTERS = 400


class Divergence(FrozenValue):
    """One difference between what was recorded and what happens now."""

    step: int | None = Field(description="the turn; none for what is of the run as a whole")
    what: What
    field: str
    recorded: str
    now: str

    def __str__(self) -> str:
        where = f"turn {self.step}" if self.step is not None else "the run"
        return f"{where}, {self.what} ({self.field}): recorded {self.recorded}; now {self.now}"


class Report(FrozenValue):
    """What a replay found, the first divergence first."""

    run_id: str
    agent: str
    steps: int = Field(description="turns replayed")
    same: bool
    divergences: tuple[Divergence, ...]

    @property
    def first(self) -> Divergence | None:
        """The first divergence, or None."""
        return self.divergences[0] if self.divergences else None


class Findings:
    """Collects divergences, at most so many."""

    def __init__(self) -> None:
        self.found: list[Divergence] = []

    def compare(self, step: int | None, what: What, field: str, recorded: Any, now: Any) -> bool:
        """Note a difference where there is one, and return whether there is."""
        if recorded == now:
            return False
        self.note(step, what, field, show(recorded), show(now))
        return True

    def note(self, step: int | None, what: What, field: str, recorded: str, now: str) -> None:
        """Note a difference; one that later turns share is noted once."""
        known = any((one.what, one.field, one.recorded, one.now) == (what, field, recorded, now) for one in self.found)
        if not known and len(self.found) < MAX_DIVERGENCES:
            self.found.append(Divergence(step=step, what=what, field=field, recorded=recorded, now=now))


def show(value: Any) -> str:
    """Return a value for a reader, cut where it is long."""
    text = "nothing" if value is None else value if isinstance(value, str) else repr(value)
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"


def compare_requests(findings: Findings, step: int, recorded: RequestPrint, now: RequestPrint) -> None:
    """Note how a request to the model differs from the recorded one: prompt, tools, messages, task, model."""
    compare_definitions(findings, step, recorded, now)
    _compare_messages(findings, step, recorded.messages, now.messages)
    findings.compare(step, "request", "task", recorded.task, now.task)
    findings.compare(step, "request", "model", recorded.model, now.model)


def compare_definitions(findings: Findings, step: int, recorded: RequestPrint, now: RequestPrint) -> None:
    """Note how prompt and tools differ: all that can be told where the recording has no prints of its requests."""
    findings.compare(step, "request", "system prompt", f"digest {recorded.system}", f"digest {now.system}")
    for name in sorted(recorded.tools.keys() | now.tools.keys()):
        before, after = recorded.tools.get(name), now.tools.get(name)
        findings.compare(step, "request", f"tool {name}", _describe_tool(before), _describe_tool(after))


def _describe_tool(digest: str | None) -> str:
    return "not given to the model" if digest is None else f"schema or description with digest {digest}"


def _compare_messages(
    findings: Findings, step: int, recorded: tuple[MessagePrint, ...], now: tuple[MessagePrint, ...]
) -> None:
    pairs = zip(recorded, now, strict=False)
    place = next((index for index, (before, after) in enumerate(pairs) if before.digest != after.digest), None)
    if place is None and len(recorded) != len(now):
        place = min(len(recorded), len(now))
    if place is None:
        return
    field = f"message {place + 1} of {len(recorded)}"
    findings.note(step, "request", field, _describe_message(recorded, place), _describe_message(now, place))


def _describe_message(messages: tuple[MessagePrint, ...], place: int) -> str:
    if place >= len(messages):
        return f"no such message ({len(messages)} in all)"
    one = messages[place]
    return f"{one.role}: {show(one.shown)} (digest {one.digest})"
