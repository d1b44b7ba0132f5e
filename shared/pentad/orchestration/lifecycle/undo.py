"""Undo the effect of one tool call, by its undo token."""

from pentad.domain.errors import InvalidTransition, NotFound
from pentad.domain.ids import parse_undo_token
from pentad.domain.runs import Actor, CallStatus, ToolCall
from pentad.orchestration.runs.ports import RunStore, ToolInvoker


class Undo:
    """Undoes calls.

    Args:
        runs: the store of runs.
        tools: reaches the tool runner, through which alone a tool undoes.
    """

    def __init__(self, runs: RunStore, tools: ToolInvoker) -> None:
        self._runs = runs
        self._tools = tools

    def __call__(self, tenant_id: str, undo_token: str, *, actor: Actor | None = None) -> ToolCall:
        """Return the call, undone; one that was undone before is returned as it is.

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
            raise NotFound("there is no such undo token", field="undo_token") from error
        if call.status is CallStatus.UNDONE:
            return call
        if call.undo_token != undo_token:
            raise InvalidTransition("this call has no effect that can be undone", field="undo_token")
        if actor is not None:
            self._runs.set_undoer(tenant_id, run_id, step, index, actor)
        self._tools.undo(tenant_id, run_id, step, index)
        return self._runs.get_call(tenant_id, run_id, step, index)
