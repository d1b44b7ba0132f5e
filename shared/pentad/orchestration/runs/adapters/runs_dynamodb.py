"""Runs, steps and tool calls in DynamoDB: every change is one conditional write or one transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import InvalidTransition, NotFound, StoreUnavailable
from pentad.domain.keys import iso
from pentad.domain.knowledge import Citation
from pentad.domain.messages import Message
from pentad.domain.runs import Actor, CallStatus, Manifest, Run, RunStatus, Step, ToolCall, UndoFailure
from pentad.domain.usage import Spent
from pentad.domain.values import Page
from pentad.orchestration.runs.adapters.lease_items import build_release_entry, extend_lease, holder_of
from pentad.orchestration.runs.adapters.reads_at_once import ReadsAtOnce
from pentad.orchestration.runs.adapters.run_items import (
    HAPPENED,
    OUTCOME,
    Noted,
    add_undo,
    build_add_clause,
    build_end_update,
    build_note_update,
    compute_spent,
    list_sources,
    make_call_key,
    make_no_run_error,
    make_step_key,
)
from pentad.orchestration.runs.adapters.runs_queue import RunQueue
from pentad.orchestration.runs.adapters.runs_start import RunStart, StartTerms
from pentad.orchestration.runs.adapters.session_removal import SessionRemoval
from pentad.orchestration.runs.conditions import build_open_check, build_open_condition
from pentad.orchestration.runs.spill import Spill, spill_key

_TRIES = 3
_OPEN_CALLS = (CallStatus.PENDING, CallStatus.AWAITING, CallStatus.APPROVED)


class DynamoRuns(ReadsAtOnce):
    """A `RunStore` over the state and transient tables.

    Args:
        state: the table of sessions and runs.
        transient: the table of leases.
        spill: where large bodies go.
        starting: writes the first transaction of a run.
        now: the clock.
    """

    def __init__(
        self, state: Table, transient: Table, spill: Spill, starting: RunStart, now: Callable[[], datetime]
    ) -> None:
        self._state = state
        self._transient = transient
        self._spill = spill
        self._starting = starting
        self._now = now
        self._queue = RunQueue(state, transient, spill, starting, now)
        self._removal = SessionRemoval(state, transient, spill.objects)

    def start(
        self, run: Run, request: Message | None, *, session_days: int, lease_seconds: int, new_session: bool = False
    ) -> Run:
        """See `RunStore`."""
        return self._load_run(self._starting(run, request, StartTerms(session_days, lease_seconds, new_session)))

    def get(self, tenant_id: str, run_id: str) -> Run:
        """See `RunStore`."""
        return self._load_run(self._get_item(tenant_id, run_id))

    def list_page(
        self, tenant_id: str, *, session_id: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Run]:
        """See `RunStore`."""
        if session_id is not None:
            return self._list_session_page(tenant_id, session_id, limit, cursor)
        pk = keys.collection_pk(tenant_id, "RUNS")
        start = decode_cursor(cursor, pk, attribute="gsi1pk")
        items, end = self._state.query(pk, index="gsi1", descending=True, limit=limit, start=start)
        return Page[Run](items=tuple(self._load_run(item) for item in items), cursor=encode_cursor(end))

    def find_lease_holder(self, tenant_id: str, session_id: str) -> str | None:
        """See `RunStore`."""
        lease = self._transient.get(keys.session_pk(tenant_id, session_id), keys.LEASE)
        return holder_of(lease, self._now().timestamp())

    def remove_session(self, tenant_id: str, session_id: str) -> None:
        """See `RunStore`."""
        self._removal(tenant_id, session_id, now=self._now().timestamp())

    def find_queue_position(self, tenant_id: str, run_id: str) -> int | None:
        """See `RunStore`."""
        stored = self.get(tenant_id, run_id)
        return self._queue.find_position(stored) if stored.waiting else None

    def promote(self, tenant_id: str, session_id: str) -> Run | None:
        """See `RunStore`."""
        item = self._queue.promote(tenant_id, session_id)
        return None if item is None else self._load_run(item)

    def list_children(self, tenant_id: str, run_id: str) -> list[str]:
        """See `RunStore`."""
        return [str(item["run"]) for item in self._state.iter_items(keys.run_pk(tenant_id, run_id), begins=keys.CHILD)]

    def set_execution(self, tenant_id: str, run_id: str, execution_arn: str) -> None:
        """See `RunStore`."""
        try:
            self._state.update(
                keys.run_pk(tenant_id, run_id),
                keys.META,
                "SET execution_arn = :arn",
                condition="attribute_exists(pk)",
                values={":arn": execution_arn},
            )
        except ConditionFailed as failure:
            raise make_no_run_error() from failure

    def set_manifest(self, tenant_id: str, run_id: str, manifest: Manifest) -> Run:
        """See `RunStore`."""
        try:
            item = self._state.update(
                keys.run_pk(tenant_id, run_id),
                keys.META,
                "SET manifest = :manifest, #status = :running, updated_at = :now",
                condition="attribute_exists(pk) AND attribute_not_exists(manifest) AND #status IN (:queued, :running)",
                names={"#status": "status"},
                values={
                    ":manifest": manifest.model_dump_json(),
                    ":running": RunStatus.RUNNING.value,
                    ":queued": RunStatus.QUEUED.value,
                    ":now": iso(self._now()),
                },
            )
        except ConditionFailed as failure:
            stored = self._load_run(failure.item or self._get_item(tenant_id, run_id))
            if stored.manifest is None:
                raise InvalidTransition(f"the run is {stored.status}", field="status") from failure
            return stored
        return self._load_run(item)

    def set_status(self, tenant_id: str, run_id: str, status: RunStatus, *, waited_seconds: float = 0) -> Run:
        """See `RunStore`."""
        sources = {f":s{place}": source.value for place, source in enumerate(list_sources(status))}
        waited_ms = round(waited_seconds * 1000)
        try:
            item = self._state.update(
                keys.run_pk(tenant_id, run_id),
                keys.META,
                "SET #status = :to, updated_at = :now ADD waited_ms :waited",
                condition=f"#status IN ({', '.join(sources)})",
                names={"#status": "status"},
                values=sources | {":to": status.value, ":now": iso(self._now()), ":waited": waited_ms},
            )
        except ConditionFailed as failure:
            stored = self._load_run(failure.item or self._get_item(tenant_id, run_id))
            if stored.status is not status:
                raise InvalidTransition(f"a run that is {stored.status} can't become {status}") from failure
            return stored
        changed = self._load_run(item)
        if waited_ms > 0:
            extend_lease(self._transient, changed, waited_ms // 1000 + 1)
        return changed

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
        noted = Noted(metadata or {}, allowed_tools, confidence, allowed_taint, taint)
        try:
            return self._load_run(self._write_note(tenant_id, run_id, noted, with_confidence=True))
        except ConditionFailed as failure:
            self._check_open(failure, tenant_id, run_id)
        try:
            # The run has a lower confidence already: the rest is still to be noted.
            return self._load_run(self._write_note(tenant_id, run_id, noted, with_confidence=False))
        except ConditionFailed as failure:
            self._check_open(failure, tenant_id, run_id)
            raise

    def _write_note(self, tenant_id: str, run_id: str, noted: Noted, *, with_confidence: bool) -> Item:
        update, condition, expression = build_note_update(noted, iso(self._now()), with_confidence=with_confidence)
        return self._state.update(keys.run_pk(tenant_id, run_id), keys.META, update, condition=condition, **expression)

    def _check_open(self, failure: ConditionFailed, tenant_id: str, run_id: str) -> None:
        stored = self._load_run(failure.item or self._get_item(tenant_id, run_id))
        if stored.status.ended:
            raise InvalidTransition(f"the run is {stored.status}", field="status") from failure

    def _make_ended_error(self, tenant_id: str, run_id: str) -> InvalidTransition:
        """Return the error of a write to a run that has ended.

        Raises:
            NotFound: there is no such run.
        """
        return InvalidTransition(f"the run is {self.get(tenant_id, run_id).status}", field="status")

    def record_step(self, step: Step, calls: list[ToolCall]) -> None:
        """See `RunStore`."""
        fresh = "attribute_not_exists(pk)"
        clause, names, values = build_add_clause(compute_spent(step), step.notices, step.taint)
        condition, ends = build_open_condition()
        entries = [
            self._state.build_put(self._make_step_item(step), condition=fresh),
            self._state.build_update(
                keys.run_pk(step.tenant_id, step.run_id),
                keys.META,
                f"SET updated_at = :now{clause}",
                condition=condition,
                names=names | {"#status": "status"},
                values=values | ends | {":now": iso(self._now())},
            ),
        ]
        entries += [self._state.build_put(self._make_call_item(call), condition=fresh) for call in calls]
        try:
            self._state.transact(entries)
        except ConditionFailed as failure:
            if self.find_step(step.tenant_id, step.run_id, step.step) is None:
                raise self._make_ended_error(step.tenant_id, step.run_id) from failure

    def find_step(self, tenant_id: str, run_id: str, step: int) -> Step | None:
        """See `RunStore`."""
        item = self._state.get(keys.run_pk(tenant_id, run_id), keys.step_sk(step))
        return None if item is None else self._load_item(Step, item)

    def list_steps(self, tenant_id: str, run_id: str) -> list[Step]:
        """See `RunStore`."""
        items = self._state.iter_items(keys.run_pk(tenant_id, run_id), begins=keys.STEP)
        return [self._load_item(Step, item) for item in items]

    def list_calls(self, tenant_id: str, run_id: str, step: int | None = None) -> list[ToolCall]:
        """See `RunStore`."""
        begins = keys.CALL if step is None else keys.calls_prefix(step)
        items = self._state.iter_items(keys.run_pk(tenant_id, run_id), begins=begins)
        return [add_undo(self._load_item(ToolCall, item), item) for item in items]

    def save_call(self, call: ToolCall) -> None:
        """See `RunStore`."""
        sources = [*_OPEN_CALLS, CallStatus.SUCCEEDED] if call.status is CallStatus.UNDONE else list(_OPEN_CALLS)
        values = {f":s{place}": source.value for place, source in enumerate(sources)}
        expression = {"names": {"#status": "status"}, "values": values}
        condition = f"attribute_not_exists(pk) OR #status IN ({', '.join(values)})"
        try:
            if call.status in HAPPENED:
                self._state.put(self._make_call_item(call), condition=condition, **expression)
                return
            putting = self._state.build_put(self._make_call_item(call), condition=condition, **expression)
            self._state.transact([putting, build_open_check(self._state, call.tenant_id, call.run_id)])
        except ConditionFailed as failure:
            item = failure.items[0] if failure.items else failure.item
            stored = CallStatus(item["status"]) if item else None
            if stored is None:
                raise self._make_ended_error(call.tenant_id, call.run_id) from failure
            if stored is not call.status:
                raise InvalidTransition(f"the tool call is already {stored}", field="status") from failure

    def note_undo(self, tenant_id: str, run_id: str, step: int, index: int, noted: Actor | UndoFailure) -> None:
        """See `RunStore`."""
        try:
            self._state.update(
                keys.run_pk(tenant_id, run_id),
                keys.call_sk(step, index),
                f"SET {'undone_by' if isinstance(noted, Actor) else 'undo_failure'} = :noted",
                condition="attribute_exists(pk)",
                values={":noted": noted.model_dump_json()},
            )
        except ConditionFailed as failure:
            raise NotFound("no such tool call", field="index") from failure

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
        end = {
            "status": status,
            "ended_at": at,
            "updated_at": at,
            "answer": answer,
            "citations": citations,
            "notices": notices,
            "error": error,
            "stop_reason": stop_reason,
        }
        for number in range(_TRIES):
            current = known if known is not None and number == 0 else self.get(tenant_id, run_id)
            if current.status.ended:
                return current
            missing = Spent() if used is None else current.spent.compute_missing(used)
            try:
                return self._end(current, current.model_copy(update={**end, "spent": current.spent + missing}))
            except ConditionFailed:
                continue  # It has ended, or begun, meanwhile: look again.
        raise StoreUnavailable("others are changing the run at the same time", retry_after=1)

    def _end(self, current: Run, ended: Run) -> Run:
        """End a run that is open: with its lease, with its lease that others wait for, or without one."""
        if current.waiting:
            self._state.transact([self._build_end_entry(current, ended, waiting=True)])
            self._queue.remove(ended)
            return ended
        for others_wait in (False, True):
            after = ended.model_copy(update={"hands_over": others_wait})
            try:
                self._state.transact(
                    [
                        self._build_end_entry(current, after),
                        build_release_entry(self._transient, after, others_wait=others_wait),
                    ]
                )
            except ConditionFailed as failure:
                if failure.reasons[0] == "ConditionalCheckFailed":
                    raise
                continue
            return after
        # The lease is another run's by now: it stays, and only the run ends.
        self._state.transact([self._build_end_entry(current, ended)])
        return ended

    def _build_end_entry(self, before: Run, run: Run, *, waiting: bool = False) -> Item:
        key = spill_key(run.tenant_id, run.run_id, {"sk": "outcome"})
        outcome = self._spill.pack("outcome", key, run.model_dump_json(include=OUTCOME))
        update, condition, expression = build_end_update(before, run, outcome, waiting=waiting)
        pk = keys.run_pk(run.tenant_id, run.run_id)
        return self._state.build_update(pk, keys.META, update, condition=condition, **expression)

    def _list_session_page(self, tenant_id: str, session_id: str, limit: int, cursor: str | None) -> Page[Run]:
        pk = keys.session_pk(tenant_id, session_id)
        items, end = self._state.query(
            pk, begins=keys.SESSION_RUN, descending=True, limit=limit, start=decode_cursor(cursor, pk)
        )
        runs = tuple(self.get(tenant_id, str(item["run"])) for item in items)
        return Page[Run](items=runs, cursor=encode_cursor(end))

    def _get_item(self, tenant_id: str, run_id: str) -> Item:
        item = self._state.get(keys.run_pk(tenant_id, run_id), keys.META)
        if item is None:
            raise make_no_run_error()
        return item

    def _make_call_item(self, call: ToolCall) -> Item:
        key = make_call_key(call)
        place = spill_key(call.tenant_id, call.run_id, key)
        return key | self._spill.pack("body", place, call.model_dump_json())

    def _make_step_item(self, step: Step) -> Item:
        key = make_step_key(step)
        place = spill_key(step.tenant_id, step.run_id, key)
        return key | self._spill.pack("body", place, step.model_dump_json())
