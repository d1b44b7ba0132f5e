"""The pipeline after a run: bring what is made of a conversation up to what the session holds.

An event only says that a run of a session has ended; what is done depends on the session and on how far each step has
come. So events may come late, twice or in any order. One worker a session holds a claim, and each step's progress is
noted under it: two deliveries and two runs that end at once do the work once. A step is repeatable, so a crash between
a step and the note costs one part of a session, made again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import Field, ValidationError

from pentad.domain.errors import BudgetExceeded, InvalidInput, PentadError, StoreUnavailable
from pentad.domain.ids import RunId, SessionId, TenantId, make_id
from pentad.domain.tracing import HEADER
from pentad.domain.values import FrozenValue
from pentad.memory.remember.own_words import find_own_words
from pentad.memory.remember.ports import Claimed, DeletedSession, Progress, RememberStep, Spoken, Work
from pentad.memory.sessions.ports import Session, SessionStore, StoredMessage
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

REMEMBER_SECONDS: Final = 120
"""How long the function may take for one message; a claim lasts as long."""
RECEIVES: Final = 8
"""How often the queue delivers a message before it puts it aside: with waits that double, over about ten minutes."""
PART_MESSAGES: Final = 100
"""Messages of a session that a step gets at once."""
BEFORE_MESSAGES: Final = 20
"""So many messages before a part are looked at for what may be quoted in it."""
_PARTS: Final = 200
_SPARE_SECONDS: Final = 25.0
"""A part is not begun with less time left."""


class EndedRun(FrozenValue):
    """What the event of a run's end says."""

    tenant_id: TenantId
    session_id: SessionId
    run_id: RunId | None = None
    traceparent: str | None = None
    is_step: bool = Field(default=False, description="it was a step of a workflow: its prompt is nobody's words")


def parse_event(body: Mapping[str, Any]) -> EndedRun:
    """Return what an event of a run's end says.

    Args:
        body: the event as EventBridge puts it into the queue, with its detail.

    Raises:
        InvalidInput: it is no such event.
    """
    detail = body.get("detail")
    try:
        found: Mapping[str, Any] = dict(detail) if isinstance(detail, Mapping) else {}
        return EndedRun(
            tenant_id=found["tenant"],
            session_id=found["session"],
            run_id=found.get("run"),
            is_step="parent" in found,
            traceparent=found.get(HEADER),
        )
    except (KeyError, ValidationError) as error:
        raise InvalidInput(
            "the event does not name the session of a run that ended",
            field="detail",
            fix="send the events of 'pentad.run.finished' only",
        ) from error


class Remember:
    """Runs the steps over what of a session they have not covered.

    Args:
        sessions: where the conversation is.
        progress: how far the steps are.
        steps: in order; a later one may read what an earlier one has made.
        telemetry: counts what was covered.
        clock: tells the time, in UTC.
        forget: removes all that was made of a session that was deleted; repeatable.
    """

    def __init__(
        self,
        *,
        sessions: SessionStore,
        progress: Progress,
        steps: Sequence[RememberStep],
        telemetry: Telemetry,
        clock: Callable[[], datetime],
        forget: Callable[[DeletedSession], None],
    ) -> None:
        keys = [one.name for one in steps]
        if len(set(keys)) != len(keys):
            raise ValueError("two steps have one name: their progress would be one")
        self._sessions = sessions
        self._progress = progress
        self._steps = tuple(steps)
        self._telemetry = telemetry
        self._clock = clock
        self._forget = forget

    def run(self, ended: EndedRun, *, deadline: float, last: bool = False) -> None:
        """Bring every step up to the end of a session; a repeat costs a read, a claim and giving that back.

        Args:
            ended: the event.
            deadline: ``time.time()`` by which it has to be done; what is left then is done at the next delivery.
            last: no other delivery of this event follows.

        Raises:
            StoreUnavailable: a store did not answer, another worker is at this session, or the time is used up.
            ModelUnavailable: a step's model did not answer.
        """
        if ended.is_step:
            return
        tenant_id, session_id = ended.tenant_id, ended.session_id
        head = self._sessions.get(tenant_id, session_id)
        known = head or self._progress.find_deleted(tenant_id, session_id)
        if known is None:  # It has expired, or was erased: nothing is to be made of it, and nothing of it is left.
            self._telemetry.log_event("remember.no_session", level="INFO")
            return
        owner = make_id("rem", self._clock())
        found = self._progress.claim(known, owner=owner, seconds=REMEMBER_SECONDS)
        # Each of these is done whatever befell those before it, and what went wrong first is what went wrong.
        caught = [
            _catch(lambda: self._work(head, found, owner, deadline, last)),
            _catch(lambda: self._forget_deleted(head, owner)),
            _catch(lambda: self._progress.release(tenant_id, session_id, owner=owner)),
        ]
        errors = [error for error in caught if error is not None]
        for error in errors[1:]:
            self._telemetry.log_event("remember.end_failed", level="WARNING", error=type(error).__name__)
        if errors:
            raise errors[0]

    def _work(self, head: Session | None, found: Claimed, owner: str, deadline: float, last: bool) -> None:
        """Take back what is left of a session that was deleted, then cover the one that there is."""
        deleted, done = found.deleted, dict(found.done)
        if deleted is not None:
            # Who deleted it did not come to the end of that, or was too early: this function was at work then.
            self._forget(deleted)
            if head is not None:
                self._progress.begin_anew(head, owner=owner, seconds=REMEMBER_SECONDS)
                done = {}
            else:
                self._progress.remove(deleted.tenant_id, deleted.session_id, owner=owner)
        if head is not None:
            # Whose end has appended more since the head was read sends an event of its own.
            self._cover(head, done, owner, deadline, last)

    def _forget_deleted(self, head: Session | None, owner: str) -> None:
        """Take back what was made of a session that was deleted meanwhile.

        Who deletes one removes the session first, and then what was made of it: what was written before that is gone
        with it, and for what is written after it this look is late enough. Where it fails, the next delivery finds the
        note that the session was deleted.
        """
        if head is None:
            return
        now = self._sessions.get(head.tenant_id, head.session_id)
        if now is None or now.created_at != head.created_at:
            self._telemetry.log_event("remember.session_deleted", level="INFO")
            self._forget(DeletedSession(head.tenant_id, head.session_id, head.user_id, head.expires_at))
            self._progress.remove(head.tenant_id, head.session_id, owner=owner)

    def _list_behind(self, head: Session, done: Mapping[str, int]) -> list[RememberStep]:
        return [step for step in self._steps if done.get(make_key(step), 0) < head.length]

    def _cover(self, head: Session, done: dict[str, int], owner: str, deadline: float, last: bool) -> None:
        """Run each step that is behind. One that fails does not keep the others from it; its error is raised last."""
        failed: PentadError | None = None
        parts = _Parts(self._sessions, head)
        final = (Exception,) if last else (BudgetExceeded,)
        for step in self._list_behind(head, done):
            try:
                told = {"gen_ai.operation.name": "upsert_memory", "gen_ai.conversation.id": head.session_id}
                with self._telemetry.span(f"upsert_memory {step.name}", told, final=final) as span:
                    covered = self._run_step(step, parts, done.get(make_key(step), 0), owner, deadline)
                    span.set("pentad.messages", covered)
                self._telemetry.count(names.MESSAGES_REMEMBERED, covered, kind=step.name)
            except BudgetExceeded as error:  # After the next run it is tried again, of this session or in a new month.
                self._log_failure(step, error)
            except PentadError as error:
                self._log_failure(step, error)
                failed = failed or error
        if failed is not None:
            raise failed

    def _log_failure(self, step: RememberStep, error: PentadError) -> None:
        self._telemetry.log_event(
            "remember.step_failed", level="WARNING", step_name=step.name, error=type(error).__name__
        )

    def _run_step(self, step: RememberStep, parts: "_Parts", first: int, owner: str, deadline: float) -> int:
        """Give a step the session in parts; return how many messages it has covered."""
        head, began = parts.head, first
        for _ in range(_PARTS):
            if first >= head.length:
                break
            if self._clock().timestamp() > deadline - _SPARE_SECONDS:
                raise StoreUnavailable("there is no time left for the rest of the session", retry_after=1)
            work = parts.read(step, first, deadline)
            reached = min(step.run(work), work.next_seq)
            if reached <= first:
                break  # The step waits for more.
            self._progress.advance(head, make_key(step), reached, owner=owner)
            first = reached
        return first - began


class _Parts:
    """The parts of a session, each read once where several steps are equally far.

    Args:
        sessions: where the messages are.
        head: the session's.
    """

    def __init__(self, sessions: SessionStore, head: Session) -> None:
        self.head = head
        self._sessions = sessions
        self._first: int | None = None
        self._messages: tuple[StoredMessage, ...] = ()
        self._spoken: tuple[Spoken, ...] = ()

    def read(self, step: RememberStep, first: int, deadline: float) -> Work:
        """Return the part that begins at a message, for a step."""
        after = min(first + PART_MESSAGES, self.head.length)
        if self._first != first:
            tenant_id, session_id = self.head.tenant_id, self.head.session_id
            stored = self._sessions.read(tenant_id, session_id, max(0, first - BEFORE_MESSAGES), after - 1)
            self._messages = tuple(one for one in stored if one.seq >= first)
            self._spoken = find_own_words(self._messages, [one for one in stored if one.seq < first])
            self._first = first
        return Work(
            session=self.head,
            first_seq=first,
            next_seq=after,
            messages=self._messages,
            spoken=self._spoken,
            recipe=step.recipe,
            deadline=deadline,
        )


def _catch(act: Callable[[], None]) -> BaseException | None:
    """Return what an act raises."""
    try:
        act()
    except BaseException as error:
        return error
    return None


def make_key(step: RememberStep) -> str:
    """Return the name under which a step's progress is kept: with another recipe it begins anew."""
    return f"{step.name}@{step.recipe}"
