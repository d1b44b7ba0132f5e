"""Undo the effect of one tool call, by its undo token."""

from collections.abc import Callable
from datetime import datetime

from pentad.domain.errors import InvalidTransition, NotFound, PentadError
from pentad.domain.ids import parse_undo_token
from pentad.domain.runs import Actor, CallStatus, ToolCall, UndoFailure
from pentad.observability.ports import Telemetry
from pentad.orchestration.runs.ports import RunStore, ToolInvoker

_DETAIL_CHARACTERS = 1000


class Undo:
    """Undoes calls.

    Args:
        runs: the store of runs.
        tools: reaches the tool runner, through which alone a tool undoes.
        telemetry: logs.
        now: the clock.
    """

    def __init__(
        self, runs: RunStore, tools: ToolInvoker, telemetry: Telemetry, *, now: Callable[[], datetime]
    ) -> None:
        self._runs = runs
        self._tools = tools
        self._telemetry = telemetry
        self._now = now

    def __call__(self, tenant_id: str, undo_token: str, *, actor: Actor | None = None) -> ToolCall:
        """Return the call, undone; one that was undone before is returned as it is.

        A try that fails leaves its reason on the call, in the run's events and in the log.

        Args:
            tenant_id: whose call.
            undo_token: of the call.
            actor: who undoes it, which is written on the call before anything is undone.

        Raises:
            InvalidInput: it is not an undo token.
            NotFound: no such call for this tenant.
            InvalidTransition: the call has no effect that can be undone.
            ToolFailed: the tool could not undo it.
            StoreUnavailable: a store or the tool did not answer.
        """
        run_id, step, index = parse_undo_token(undo_token)
        try:
            call = self._runs.get_call(tenant_id, run_id, step, index)
        except NotFound as error:
            raise NotFound("no such undo token", field="undo_token") from error
        if call.status is CallStatus.UNDONE:
            return call
        if call.undo_token != undo_token:
            raise InvalidTransition("this call has no effect that can be undone", field="undo_token")
        if actor is not None:
            self._runs.note_undo(tenant_id, run_id, step, index, actor)
        try:
            self._tools.undo(tenant_id, run_id, step, index)
        except PentadError as error:
            self._note_failure(call, error)
            error.field = error.field or "undo_token"
            raise
        return self._runs.get_call(tenant_id, run_id, step, index)

    def _note_failure(self, call: ToolCall, error: PentadError) -> None:
        name = type(error).__name__
        self._telemetry.log_event(
            "undo.failed", level="WARNING", run=call.run_id, step=call.step, tool=call.tool, error=name
        )
        failure = UndoFailure(at=self._now(), error=name, detail=error.message[:_DETAIL_CHARACTERS])
        try:
            self._runs.note_undo(call.tenant_id, call.run_id, call.step, call.index, failure)
        except PentadError as other:
            # What the caller is told stays why the undo failed.
            self._telemetry.log_event("undo.note_failed", level="WARNING", error=type(other).__name__)
