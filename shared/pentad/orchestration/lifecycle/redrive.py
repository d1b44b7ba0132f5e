"""Let a failed run go on: a new run in the same session, after what the failed one has left there.

Nothing that was done is done again. The turns stand in the session; the new run's first message answers the calls of
the last of them, by what the store and the ledger of effects know: the results of those that ended, and of any other
whether it was begun. Where the failed run has left no turn, its request is made anew. The new run's id comes from the
failed one's, so a repeat is the same run.

A workflow's request is made anew as well: its steps look for what the failed run has finished
(`pentad.orchestration.workflows.redriven_steps`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from pentad.domain.canonical import call_key
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.errors import InvalidTransition, NotFound
from pentad.domain.ids import derive_id
from pentad.domain.messages import ContentBlock, Message, TextBlock, ToolResultBlock
from pentad.domain.runs import Run, RunStatus, ToolCall
from pentad.domain.usage import Spent
from pentad.memory.sessions.ports import SessionStore, StoredMessage
from pentad.orchestration.lifecycle.start import StartRun, request_message_id
from pentad.orchestration.runs.ports import RunStore, WorkflowEngine
from pentad.orchestration.turn.taint import find_call_sources
from pentad.tools.runtime.ports import Effect

GO_ON = "The last attempt at this was cut off by a fault that has been fixed. Continue from where it stopped."
NOT_BEGUN = "This call was not run: the run failed before it."
UNCERTAIN = (
    "This call was begun and cut off, so its effect may or may not have happened. Check whether it has before you ask "
    "for it again."
)
_TAIL = 50
"""The turns of a run that failed are looked for among so many of the session's last messages."""


class Effects(Protocol):
    """What redrive asks of the ledger of effects."""

    def find(self, tenant_id: str, run_id: str, key: str) -> Effect | None:
        """Return what is known of an effect, or None where it was never begun.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


def redriven_id(tenant_id: str, run_id: str) -> str:
    """Return the id of the run that goes on for a failed one."""
    return derive_id("run", tenant_id, "redrive", run_id)


class Redrive:
    """Starts failed runs again.

    Args:
        catalog: agents and workflows.
        runs: the store of runs.
        sessions: the store of sessions.
        effects: what was begun and done.
        start: starts the new run.
        engine: knows the name of its execution.
        now: the clock.
    """

    def __init__(
        self,
        catalog: Catalog,
        runs: RunStore,
        sessions: SessionStore,
        effects: Effects,
        start: StartRun,
        engine: WorkflowEngine,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._sessions = sessions
        self._effects = effects
        self._start = start
        self._engine = engine
        self._now = now

    def __call__(self, tenant_id: str, run_id: str) -> Run:
        """Return the run that goes on for a failed one: started now, or by an earlier call.

        Raises:
            NotFound: no such run, agent or conversation any more.
            InvalidTransition: the run has not failed, or it is a step of a workflow, which is what is to be started.
            SessionBusy: another run holds the session; it will be free.
            StoreUnavailable: a store or the engine did not answer; again is safe.
        """
        failed = self._runs.get(tenant_id, run_id)
        if failed.status is not RunStatus.FAILED:
            raise InvalidTransition(f"only a failed run can be redriven; this one is {failed.status}", field="run")
        if failed.parent_run_id is not None:
            raise InvalidTransition(
                "the run is a step of a workflow", field="run", fix=f"redrive '{failed.parent_run_id}'"
            )
        spec = self._catalog.agents.get(failed.agent) or self._catalog.workflows.get(failed.agent)
        if spec is None:
            raise NotFound(f"the agent '{failed.agent}' no longer exists", field="agent")
        return self._start.begin(self._make_run(failed), self._build_message(failed, spec), spec, heals=True)

    def _make_run(self, failed: Run) -> Run:
        now, name = self._now(), redriven_id(failed.tenant_id, failed.run_id)
        return failed.model_copy(
            update={
                "run_id": name,
                "status": RunStatus.QUEUED,
                "created_at": now,
                "updated_at": now,
                "ended_at": None,
                "request_seq": 0,
                "idempotency_key": None,
                "manifest": None,
                "spent": Spent(),
                "waited_seconds": 0,
                "error": None,
                "stop_reason": None,
                "notices": (),
                "answer": None,
                "citations": (),
                "allowed_tools": (),
                "allowed_taint": (),
                "fence": 0,
                "first_step": 1,
                "hands_over": False,
                # It may wait, so that one message starts it however long its session is held.
                "if_busy": "enqueue",
                "redrive_of_run_id": failed.run_id,
                "confidence": None,
                "execution_arn": self._engine.build_execution_arn(failed.agent, name),
            }
        )

    def _build_message(self, failed: Run, spec: AgentSpec | WorkflowSpec) -> Message:
        own = [] if isinstance(spec, WorkflowSpec) else self._read_own_messages(failed)
        turns = [one.message for one in own if one.message.role == "assistant"]
        request = self._read_request(failed)
        blocks: tuple[ContentBlock, ...] = request.blocks
        taint = request.taint
        if turns:
            answered = own[-1].message.role == "user" and own[-1].seq != failed.request_seq
            ended = {} if answered else self._list_ended(failed, turns[-1])
            results = () if answered else _build_results(turns[-1], ended)
            blocks = (*results, TextBlock(text=GO_ON))
            taint = find_call_sources([one for one in ended.values() if isinstance(one, ToolCall)], failed.taint)
        name = redriven_id(failed.tenant_id, failed.run_id)
        return Message(
            message_id=request_message_id(name),
            role="user",
            blocks=blocks,
            created_at=self._now(),
            run_id=name,
            step=0,
            taint=taint,
        )

    def _read_request(self, failed: Run) -> Message:
        place = failed.request_seq
        stored = self._sessions.read(failed.tenant_id, failed.session_id, place, place)
        if not stored:
            raise NotFound("the run's conversation has expired", field="run")
        return stored[0].message

    def _read_own_messages(self, failed: Run) -> list[StoredMessage]:
        """Return the failed run's own messages; none where others came after them, so that nothing follows on."""
        head = self._sessions.get(failed.tenant_id, failed.session_id)
        if head is None:
            raise NotFound("the run's conversation has expired", field="run")
        first = max(failed.request_seq, head.length - _TAIL)
        stored = self._sessions.read(failed.tenant_id, failed.session_id, first, head.length - 1)
        if not stored or stored[-1].message.run_id != failed.run_id:
            return []
        return [one for one in stored if one.message.run_id == failed.run_id]

    def _list_ended(self, failed: Run, turn: Message) -> dict[str, ToolCall | str]:
        """Return each call of the turn that the run failed after, by its id: as it ended, or what is said of it."""
        calls = {call.call_id: call for call in self._runs.list_calls(failed.tenant_id, failed.run_id, turn.step)}
        return {block.call_id: self._find_end(failed, calls.get(block.call_id)) for block in turn.tool_calls}

    def _find_end(self, failed: Run, call: ToolCall | None) -> ToolCall | str:
        if call is None or call.result is not None:
            return call or NOT_BEGUN
        effect = self._effects.find(failed.tenant_id, failed.run_id, call_key(call))
        if effect is None:
            return NOT_BEGUN
        if effect.status == "begun":
            return UNCERTAIN
        tool = self._catalog.tools.get(call.tool)
        untrusted = effect.untrusted or tool is None or not tool.trusted_output
        done = {"result": effect.result or "", "is_error": effect.is_error, "untrusted": untrusted}
        return call.model_copy(update=done | {"sources": effect.sources})


def _build_results(turn: Message, ended: Mapping[str, ToolCall | str]) -> tuple[ToolResultBlock, ...]:
    """Return a result for each call of a turn."""
    return tuple(_build_result(block.call_id, ended[block.call_id]) for block in turn.tool_calls)


def _build_result(call_id: str, end: ToolCall | str) -> ToolResultBlock:
    if isinstance(end, str):
        return ToolResultBlock(call_id=call_id, content=end, is_error=True)
    return ToolResultBlock(call_id=call_id, content=end.result or "", is_error=end.is_error, untrusted=end.untrusted)
