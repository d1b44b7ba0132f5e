"""A recording as a test with the real tools: the model says what it said, humans decide as they did, tools run anew.

`pentad replay` repeats what the tools said; here their code runs on the twin, and what comes of it is compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from pentad.domain.messages import ContentBlock, Message, TextBlock, ToolCallBlock
from pentad.domain.reading.json_text import read_json
from pentad.domain.runs import Approval, ApprovalStatus
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.memory.sessions.adapters.sessions_dynamodb import DynamoSessions
from pentad.memory.sessions.ports import Session
from pentad.orchestration.timetravel.recording import RecordedCall, RecordedMessage, Recording
from pentad.testing.approvals import KitApprovals
from pentad.testing.model import ScriptedModel
from pentad.testing.runs import KitCall, KitRun
from pentad.testing.stack.world import Stack, Tenant, word

_PART = 50
"""Messages appended at once."""


class Talk(Protocol):
    """A session: `pentad.testing.kit.Conversation`."""

    @property
    def model(self) -> ScriptedModel:
        """Its scripted model."""
        ...

    def ask(self, message: str, **fields: Any) -> KitRun:
        """Send the user's next message."""
        ...


class ReplayKit(Protocol):
    """What a replay needs of a test's tenant: `pentad.testing.kit.Kit`."""

    @property
    def tenant(self) -> Tenant:
        """The tenant."""
        ...

    @property
    def approvals(self) -> KitApprovals:
        """What humans decide."""
        ...

    def converse(self, agent: str, *, session_id: str | None = None) -> Talk:
        """Begin a session."""
        ...


@dataclass(frozen=True)
class LiveReplay:
    """What came of a recording with the tools as they are now.

    Attributes:
        run: the run that was made of it.
        differences: what differs, in words; empty where it goes the same.
    """

    run: KitRun
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether every tool answered as it was recorded, and the run ended so."""
        return not self.differences


def load_recording(path: Path) -> Recording:
    """Return a recording that `pentad runs export` wrote.

    Raises:
        AssertionError: the file is missing, or is none of this version.
    """
    try:
        return Recording.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AssertionError(f"can't read the recording '{path}': {error.strerror}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise AssertionError(
            f"'{path}' is not a recording of this version: write it with `pentad runs export`"
        ) from error


def replay_live(kit: ReplayKit, stack: Stack, recording: Recording, ignore: Sequence[str]) -> LiveReplay:
    """Run a recording again with the tools of the twin.

    Args:
        kit: the test's tenant; fill the records that the tools read before.
        stack: the twin.
        recording: what was recorded.
        ignore: fields of tools' JSON results that may differ at any depth, such as ids and times.

    Raises:
        AssertionError: it can't be replayed so; the message says why. Or a model was asked for more than was recorded.
    """
    _check_replayable(recording)
    session_id = word("s-")
    before = [one for one in recording.context if one.seq < recording.request_seq]
    if before:
        _restore_session(kit, stack, recording, session_id, before)
    talk = kit.converse(recording.definition.agent, session_id=session_id)
    for step in recording.steps:
        if step.reply is not None:
            talk.model.replies(**_build_reply(step.reply))
    [request] = [one for one in recording.context if one.seq == recording.request_seq]
    run = talk.ask(_join_text(request.blocks), metadata=dict(recording.metadata))
    for step in recording.steps:
        if step.human is not None and run.approval_id is not None:
            run = _decide(kit, run, step.human)
    return LiveReplay(run, tuple(_compare(recording, run, frozenset(ignore))))


def _check_replayable(recording: Recording) -> None:
    what = None
    if recording.first_step != 1 or recording.overrides is not None:
        what = "it is of a fork: record the run that was forked"
    elif recording.definition.settings.get("confidence"):
        what = "its agent rates its turns, and what the rating models said is not recorded: use `pentad replay`"
    elif any(step.reply is None or step.degraded for step in recording.steps):
        what = "no model could be reached in one of its turns: use `pentad replay`"
    if what is not None:
        raise AssertionError(f"the recording of {recording.run_id} can't run with real tools, since {what}")


def _restore_session(
    kit: ReplayKit, stack: Stack, recording: Recording, session_id: str, before: Sequence[RecordedMessage]
) -> None:
    """Store the conversation before the run's message in a session of the test's tenant."""
    s3 = stack.aws("s3")
    bucket = next(one["Name"] for one in s3.list_buckets()["Buckets"] if "payload" in one["Name"])
    sessions = DynamoSessions(stack.table("state"), S3Objects(s3, bucket))
    now = datetime.now(UTC)
    head = Session(
        tenant_id=kit.tenant.name,
        session_id=session_id,
        agent=recording.definition.agent,
        version=0,
        length=0,
        created_at=now,
        updated_at=now,
        expires_at=now + timedelta(days=1),
    )
    sessions.create(head)
    messages = [
        Message(message_id=f"msg_recorded_{one.seq:05d}", role=one.role, blocks=one.blocks, created_at=one.created_at)
        for one in before
    ]
    for first in range(0, len(messages), _PART):
        part = messages[first : first + _PART]
        head = sessions.append(kit.tenant.name, session_id, part, expected_version=head.version)


def _build_reply(blocks: Sequence[ContentBlock]) -> dict[str, Any]:
    calls = [
        {"name": block.tool, "arguments": block.arguments, "id": block.call_id}
        for block in blocks
        if isinstance(block, ToolCallBlock)
    ]
    return {"text": _join_text(blocks), "tool_calls": calls}


def _join_text(blocks: Sequence[ContentBlock]) -> str:
    return "\n\n".join(block.text for block in blocks if isinstance(block, TextBlock))


def _decide(kit: ReplayKit, run: KitRun, human: Approval) -> KitRun:
    """Decide as the humans of the recording did."""
    approvals = kit.approvals
    if human.status is ApprovalStatus.REJECTED:
        return approvals.reject(run, human.reason)
    if human.status is ApprovalStatus.EXPIRED:
        return approvals.expire(run)
    if human.status is ApprovalStatus.ANSWERED:
        return approvals.answer(run, human.reply or "")
    edited = [call.arguments for call in human.calls]
    if any(call.edited for call in human.calls):
        return approvals.edit(run, *edited)
    if human.kind == "answer" and human.reply is not None:
        return approvals.edit(run, text=human.reply)
    return approvals.approve(run)


def _compare(recording: Recording, run: KitRun, ignore: frozenset[str]) -> list[str]:
    recorded = [call for step in recording.steps for call in sorted(step.calls, key=lambda one: one.index)]
    found = []
    if len(recorded) != len(run.calls):
        found.append(f"calls: recorded {len(recorded)}; now {len(run.calls)}")
    for place, (before, now) in enumerate(zip(recorded, run.calls, strict=False)):
        found += [f"call {place + 1}, {before.tool}: {one}" for one in _compare_calls(before, now, ignore)]
    for name in ("status", "answer", "stop_reason"):
        before_that, now_that = getattr(recording.outcome, name), getattr(run, name)
        if before_that != now_that:
            found.append(f"the run's {name}: recorded {before_that!r}; now {now_that!r}")
    return found


def _compare_calls(before: RecordedCall, now: KitCall, ignore: frozenset[str]) -> list[str]:
    found = [
        f"{name}: recorded {getattr(before, name)!r}; now {getattr(now, name)!r}"
        for name in ("tool", "arguments", "status", "error_type")
        if getattr(before, name) != getattr(now, name)
    ]
    results = _read_result(before.result, ignore), _read_result(now.result, ignore)
    return found if results[0] == results[1] else [*found, f"result: recorded {results[0]!r}; now {results[1]!r}"]


def _read_result(text: str | None, ignore: frozenset[str]) -> Any:
    """Return a result as it is compared: JSON by its value, without what may differ; other text as it is."""
    try:
        return _leave_out(read_json(text or "null"), ignore)
    except ValueError:
        return text


def _leave_out(value: Any, ignore: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _leave_out(part, ignore) for name, part in value.items() if name not in ignore}
    return [_leave_out(part, ignore) for part in value] if isinstance(value, list) else value
