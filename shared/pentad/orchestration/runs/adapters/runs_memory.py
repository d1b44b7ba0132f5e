"""Runs in dictionaries, with the session's lease: for tests and for one process."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.domain import keys
from pentad.domain.errors import (
    IdempotencyConflict,
    InvalidTransition,
    NotFound,
    SessionBusy,
    SessionConflict,
    StoreUnavailable,
)
from pentad.domain.ids import is_reserved_session
from pentad.domain.keys import iso
from pentad.domain.knowledge import Citation
from pentad.domain.messages import Message
from pentad.domain.runs import (
    Actor,
    CallStatus,
    Manifest,
    Run,
    RunStatus,
    Step,
    ToolCall,
    UndoFailure,
    check_transition,
)
from pentad.domain.usage import Spent
from pentad.domain.values import Page
from pentad.memory.sessions.ports import Session, SessionStore
from pentad.orchestration.runs.adapters.reads_at_once import ReadsInMemory
from pentad.orchestration.runs.adapters.run_items import (
    HAPPENED,
    TAKEN_OVER,
    compute_spent,
    make_no_session_error,
    make_queue_full_error,
)
from pentad.orchestration.runs.adapters.session_removal import make_held_error, make_missing_error
from pentad.orchestration.runs.ports import QUEUE_LENGTH

_OPEN_CALLS = frozenset({CallStatus.PENDING, CallStatus.AWAITING, CallStatus.APPROVED})


class FencedSessions(SessionStore, Protocol):
    """Sessions in memory, whose fence a run can raise as it takes the session."""

    def set_fence(self, tenant_id: str, session_id: str, fence: int) -> None:
        """Let only runs with this fencing token, or a newer one, write to the session."""
        ...

    def remove(self, tenant_id: str, session_id: str) -> None:
        """Remove a session with its messages."""
        ...


class MemoryRuns(ReadsInMemory):
    """A `RunStore`.

    Args:
        sessions: where the sessions are.
        now: the clock.
    """

    def __init__(self, sessions: FencedSessions, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._now = now
        self._lock = threading.RLock()
        self._runs: dict[tuple[str, str], Run] = {}
        self._steps: dict[tuple[str, str, int], Step] = {}
        self._calls: dict[tuple[str, str, int, int], ToolCall] = {}
        self._leases: dict[tuple[str, str], tuple[str, float]] = {}
        self._queues: dict[tuple[str, str], list[str]] = {}
        self._waiting: dict[tuple[str, str], _Waiting] = {}

    def start(
        self, run: Run, request: Message | None, *, session_days: int, lease_seconds: int, new_session: bool = False
    ) -> Run:
        """See `RunStore`."""
        with self._lock:
            stored = self._runs.get((run.tenant_id, run.run_id))
            if stored is not None:
                if stored.request_hash != run.request_hash:
                    raise IdempotencyConflict(
                        "the idempotency key was used for another request", field="idempotency_key"
                    )
                return stored
            is_there = self._sessions.get(run.tenant_id, run.session_id) is not None
            if is_there and new_session:
                raise StoreUnavailable("the session of the new run already exists", retry_after=1)
            if not (is_there or new_session or run.trigger == "schedule") and is_reserved_session(run.session_id):
                raise make_no_session_error()
            head = self._get_or_create_session(run, session_days)
            try:
                self._check_lease(run, run.created_at.timestamp())
            except SessionBusy:
                if run.if_busy != "enqueue" or request is None:
                    raise
                return self._enqueue(run, _Waiting(request, lease_seconds))
            return self._hold(run, head, request, run.created_at, lease_seconds)

    def get(self, tenant_id: str, run_id: str) -> Run:
        """See `RunStore`."""
        with self._lock:
            stored = self._runs.get((tenant_id, run_id))
        if stored is None:
            raise NotFound("no such run", field="run")
        return stored

    def list_page(
        self, tenant_id: str, *, session_id: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Run]:
        """See `RunStore`."""
        pk = keys.collection_pk(tenant_id, "RUNS") if session_id is None else keys.session_pk(tenant_id, session_id)
        start = decode_cursor(cursor, pk)
        with self._lock:
            own = [
                one
                for one in self._runs.values()
                if one.tenant_id == tenant_id and session_id in (None, one.session_id)
            ]
        ranked = sorted(own, key=_sort_key, reverse=True)
        after = [one for one in ranked if start is None or _sort_key(one) < start["sk"]]
        end = {"pk": pk, "sk": _sort_key(after[limit - 1])} if len(after) > limit else None
        return Page[Run](items=tuple(after[:limit]), cursor=encode_cursor(end))

    def find_lease_holder(self, tenant_id: str, session_id: str) -> str | None:
        """See `RunStore`."""
        with self._lock:
            holder, expires_at = self._leases.get((tenant_id, session_id), (None, 0.0))
        return holder if expires_at > self._now().timestamp() else None

    def remove_session(self, tenant_id: str, session_id: str) -> None:
        """See `RunStore`."""
        with self._lock:
            if self._sessions.get(tenant_id, session_id) is None:
                raise make_missing_error()
            waiting = self._queues.get((tenant_id, session_id), [])
            if waiting or self.find_lease_holder(tenant_id, session_id) is not None:
                raise make_held_error()
            self._leases.pop((tenant_id, session_id), None)
            self._sessions.remove(tenant_id, session_id)

    def find_queue_position(self, tenant_id: str, run_id: str) -> int | None:
        """See `RunStore`."""
        with self._lock:
            stored = self.get(tenant_id, run_id)
            queue = self._queues.get((tenant_id, stored.session_id), [])
            return queue.index(run_id) + 1 if stored.waiting and run_id in queue else None

    def promote(self, tenant_id: str, session_id: str) -> Run | None:
        """See `RunStore`."""
        with self._lock:
            queue = self._queues.get((tenant_id, session_id), [])
            head = self._sessions.get(tenant_id, session_id)
            if head is None or self.find_lease_holder(tenant_id, session_id) is not None:
                return None
            while queue:
                run = self._runs[tenant_id, queue.pop(0)]
                if run.waiting:
                    waiting = self._waiting.pop((tenant_id, run.run_id))
                    return self._hold(run, head, waiting.request, self._now(), waiting.lease_seconds)
            return None

    def list_children(self, tenant_id: str, run_id: str) -> list[str]:
        """See `RunStore`."""
        with self._lock:
            return [
                one.run_id for one in self._runs.values() if (one.tenant_id, one.parent_run_id) == (tenant_id, run_id)
            ]

    def set_execution(self, tenant_id: str, run_id: str, execution_arn: str) -> None:
        """See `RunStore`."""
        with self._lock:
            self._update(self.get(tenant_id, run_id), execution_arn=execution_arn)

    def set_manifest(self, tenant_id: str, run_id: str, manifest: Manifest) -> Run:
        """See `RunStore`."""
        with self._lock:
            stored = self.get(tenant_id, run_id)
            if stored.manifest is not None:
                return stored
            if stored.status not in {RunStatus.QUEUED, RunStatus.RUNNING}:
                raise InvalidTransition(f"the run is {stored.status}", field="status")
            return self._update(stored, manifest=manifest, status=RunStatus.RUNNING, updated_at=self._now())

    def set_status(self, tenant_id: str, run_id: str, status: RunStatus, *, waited_seconds: float = 0) -> Run:
        """See `RunStore`."""
        with self._lock:
            stored = self.get(tenant_id, run_id)
            if stored.status is status:
                return stored
            check_transition(stored.status, status)
            waited = stored.waited_seconds + round(waited_seconds * 1000) / 1000
            holder, expires_at = self._leases.get((tenant_id, stored.session_id), (None, 0.0))
            if holder == run_id and waited_seconds > 0:
                self._leases[tenant_id, stored.session_id] = (run_id, expires_at + int(waited_seconds) + 1)
            return self._update(stored, status=status, waited_seconds=waited, updated_at=self._now())

    def note(
        self,
        tenant_id: str,
        run_id: str,
        *,
        metadata: Mapping[str, str] | None = None,
        allowed_tools: Sequence[str] = (),
        confidence: float | None = None,
        allowed_taint: Sequence[str] = (),
        taint: Sequence[str] = (),
    ) -> Run:
        """See `RunStore`."""
        with self._lock:
            stored = self.get(tenant_id, run_id)
            _check_open(stored)
            lowest = min((one for one in (stored.confidence, confidence) if one is not None), default=None)
            return self._update(
                stored,
                metadata=stored.metadata | dict(metadata or {}),
                allowed_tools=tuple(sorted({*stored.allowed_tools, *allowed_tools})),
                allowed_taint=tuple(sorted({*stored.allowed_taint, *allowed_taint})),
                taint=tuple(sorted({*stored.taint, *taint})),
                confidence=lowest,
            )

    def record_step(self, step: Step, calls: list[ToolCall]) -> None:
        """See `RunStore`."""
        with self._lock:
            stored = self.get(step.tenant_id, step.run_id)
            if (step.tenant_id, step.run_id, step.step) in self._steps:
                return
            _check_open(stored)
            self._steps[step.tenant_id, step.run_id, step.step] = step
            for call in calls:
                self._calls[call.tenant_id, call.run_id, call.step, call.index] = call
            self._update(
                stored,
                spent=stored.spent + compute_spent(step),
                notices=tuple(sorted({*stored.notices, *step.notices})),
                taint=tuple(sorted({*stored.taint, *step.taint})),
                updated_at=self._now(),
            )

    def find_step(self, tenant_id: str, run_id: str, step: int) -> Step | None:
        """See `RunStore`."""
        return self._steps.get((tenant_id, run_id, step))

    def list_steps(self, tenant_id: str, run_id: str) -> list[Step]:
        """See `RunStore`."""
        with self._lock:
            return [step for place, step in sorted(self._steps.items()) if place[:2] == (tenant_id, run_id)]

    def list_calls(self, tenant_id: str, run_id: str, step: int | None = None) -> list[ToolCall]:
        """See `RunStore`."""
        with self._lock:
            own = [call for place, call in sorted(self._calls.items()) if place[:2] == (tenant_id, run_id)]
        return [call for call in own if step in (None, call.step)]

    def get_call(self, tenant_id: str, run_id: str, step: int, index: int) -> ToolCall:
        """See `RunStore`."""
        stored = self._calls.get((tenant_id, run_id, step, index))
        if stored is None:
            raise NotFound("no such tool call", field="index")
        return stored

    def save_call(self, call: ToolCall) -> None:
        """See `RunStore`."""
        place = (call.tenant_id, call.run_id, call.step, call.index)
        with self._lock:
            stored = self._calls.get(place)
            undoing = call.status is CallStatus.UNDONE and stored and stored.status is CallStatus.SUCCEEDED
            if stored is None or stored.status in _OPEN_CALLS or undoing:
                if call.status not in HAPPENED:
                    _check_open(self.get(call.tenant_id, call.run_id))
                self._calls[place] = call
            elif stored.status is not call.status:
                raise InvalidTransition(f"the tool call is already {stored.status}", field="status")

    def note_undo(self, tenant_id: str, run_id: str, step: int, index: int, noted: Actor | UndoFailure) -> None:
        """See `RunStore`."""
        call = self.get_call(tenant_id, run_id, step, index)
        name = "undone_by" if isinstance(noted, Actor) else "undo_failure"
        with self._lock:
            self._calls[tenant_id, run_id, step, index] = call.model_copy(update={name: noted})

    def finish(
        self,
        tenant_id: str,
        run_id: str,
        status: RunStatus,
        *,
        at: datetime,
        answer: str | None,
        citations: tuple[Citation, ...] = (),
        notices: tuple[str, ...] = (),
        error: str | None = None,
        stop_reason: str | None = None,
        used: Spent | None = None,
        known: Run | None = None,
    ) -> Run:
        """See `RunStore`."""
        if not status.ended:
            raise InvalidTransition(f"'{status}' does not end a run", field="status")
        with self._lock:
            stored = self.get(tenant_id, run_id)
            if stored.status.ended:
                return stored
            queue = self._queues.get((tenant_id, stored.session_id), [])
            holds = self._leases.get((tenant_id, stored.session_id), ("",))[0] == run_id
            if holds:
                del self._leases[tenant_id, stored.session_id]
            elif run_id in queue:
                queue.remove(run_id)
            return self._update(
                stored,
                status=status,
                hands_over=holds and bool(queue),
                ended_at=at,
                updated_at=at,
                answer=answer,
                citations=citations,
                notices=notices,
                error=error,
                stop_reason=stop_reason,
                spent=stored.spent if used is None else stored.spent + stored.spent.compute_missing(used),
            )

    def _update(self, run: Run, **values: object) -> Run:
        changed = run.model_copy(update=values)
        self._runs[run.tenant_id, run.run_id] = changed
        return changed

    def _check_lease(self, run: Run, begins: float) -> None:
        holder, expires_at = self._leases.get((run.tenant_id, run.session_id), (None, 0.0))
        if holder is not None and expires_at > begins:
            raise SessionBusy(
                "another run of this session has not ended", field="session", retry_after=expires_at - begins
            )
        if self._queues.get((run.tenant_id, run.session_id)) and run.if_busy != "interrupt":
            raise SessionBusy("other runs are waiting for this session", field="session", retry_after=1)

    def _enqueue(self, run: Run, waiting: "_Waiting") -> Run:
        queue = self._queues.setdefault((run.tenant_id, run.session_id), [])
        if len(queue) >= QUEUE_LENGTH:
            raise make_queue_full_error()
        queue.append(run.run_id)
        self._waiting[run.tenant_id, run.run_id] = waiting
        self._runs[run.tenant_id, run.run_id] = run
        return run

    def _hold(self, run: Run, head: Session, request: Message | None, at: datetime, lease_seconds: int) -> Run:
        place = (run.tenant_id, run.session_id)
        lost = self._runs.get((run.tenant_id, self._leases.get(place, ("",))[0]))
        if lost is not None and not lost.status.ended:
            self._update(lost, status=RunStatus.FAILED, error=TAKEN_OVER, ended_at=at, updated_at=at)
        self._leases[place] = (run.run_id, int(at.timestamp()) + lease_seconds)
        if request is None:
            self._sessions.set_fence(run.tenant_id, run.session_id, head.version)
            return self._update(run, fence=head.version)
        after = self._sessions.append(run.tenant_id, run.session_id, [request], expected_version=head.version)
        self._sessions.set_fence(run.tenant_id, run.session_id, after.version)
        return self._update(run, request_seq=head.length, fence=after.version)

    def _get_or_create_session(self, run: Run, session_days: int) -> Session:
        head = self._sessions.get(run.tenant_id, run.session_id)
        if head is not None:
            if (head.agent, head.user_id) != (run.agent, run.user_id):
                raise SessionConflict("the session belongs to another agent or user", field="session")
            return head
        head = Session(
            tenant_id=run.tenant_id,
            session_id=run.session_id,
            agent=run.agent,
            user_id=run.user_id,
            version=0,
            length=0,
            created_at=run.created_at,
            updated_at=run.created_at,
            expires_at=run.created_at + timedelta(days=session_days),
        )
        self._sessions.create(head)
        return head


class _Waiting(NamedTuple):
    request: Message
    lease_seconds: int


def _check_open(run: Run) -> None:
    if run.status.ended:
        raise InvalidTransition(f"the run is {run.status}", field="status")


def _sort_key(run: Run) -> str:
    return f"{iso(run.created_at)}#{run.run_id}"
