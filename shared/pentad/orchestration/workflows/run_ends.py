"""Begin and end a workflow's run, and run its steps that are text only."""

from typing import Any

from pydantic import Field

from pentad.domain.declarations.workflows import StepName, StepResult, TextStep
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Decision, Run, RunStatus, Step
from pentad.orchestration.lifecycle.deliver import extract_message
from pentad.orchestration.turn.decision import reply_id, stop_id
from pentad.orchestration.workflows.redriven_steps import build_plan
from pentad.orchestration.workflows.steps import Entered, EnteredStep, Stores, build_reference
from pentad.orchestration.workflows.templates import render

FINISH = 99_999
"""The place of a run's end: above that of every step."""
_REASON_CHARACTERS = 300


class Finished(Entered):
    """All steps are done."""

    refs: dict[StepName, int] = Field(default_factory=dict)
    failed: tuple[str, ...] = Field(default=(), description="branches that failed where others' results were enough")
    capped: tuple[str, ...] = Field(default=(), description="loops that used all rounds below their threshold")


class Stopped(Entered):
    """A cap is used up, or a human said no."""

    error: str
    cause: str = ""


class Ends:
    """Begins and ends workflows' runs.

    Args:
        stores: where everything is.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def begin(self, at: Entered) -> dict[str, Any]:
        """Let a run be running, and note what it goes by: it may fail, and another may go on for it.

        Raises:
            NotFound: no such run or workflow.
            InvalidTransition: the run has ended, or was redriven too often.
            StoreUnavailable: the store did not answer.
        """
        stores = self._stores
        run = stores.get_run(at)
        stores.results.put_plan(build_plan(run, stores.get_workflow(at.agent), stores.runs, stores.results))
        if run.status is RunStatus.QUEUED:
            stores.runs.set_status(at.tenant_id, at.run_id, RunStatus.RUNNING)
        return {}

    def build_text(self, at: EnteredStep) -> dict[str, Any]:
        """Put a text together from earlier results and return its reference.

        Raises:
            NotFound: no such run or step.
            InvalidTransition: the run has ended.
            StoreUnavailable: the store did not answer.
        """
        stores = self._stores
        step = stores.get_step(at, TextStep)
        run = stores.get_run(at)
        now = stores.now()
        result = StepResult(
            tenant_id=at.tenant_id,
            run_id=at.run_id,
            place=at.place,
            name=at.step,
            status="succeeded",
            text=render(step.text, stores.make_lookup(run, at.refs)),
            began_at=now,
            ended_at=now,
        )
        return build_reference(stores.results.put(result))

    def finish(self, at: Finished) -> dict[str, Any]:
        """Put the answer into the session and return the decision that Deliver ends the run by.

        Raises:
            NotFound: no such run or workflow.
            InvalidTransition: the run has ended.
            SessionBusy: another writer changed the session first.
            StoreUnavailable: the store did not answer.
        """
        run = self._stores.get_run(at)
        text = render(self._stores.get_workflow(at.agent).answer, self._stores.make_lookup(run, at.refs))
        notices = [f"The branch '{name}' failed; the answer was made without it." for name in at.failed]
        notices += [f"{name} used all its rounds below its threshold; the best was kept." for name in at.capped]
        decision = Decision(kind="answer", step=FINISH)
        return self._end(run, reply_id(at.run_id, FINISH), text, decision, tuple(notices), degraded=bool(at.failed))

    def stop(self, at: Stopped) -> dict[str, Any]:
        """Put the reason for a stop into the session and return the decision that Deliver ends the run by.

        Raises:
            NotFound: no such run.
            InvalidTransition: the run has ended.
            SessionBusy: another writer changed the session first.
            StoreUnavailable: the store did not answer.
        """
        reason = f"The run was stopped: {extract_message(at.cause) or at.error}."[:_REASON_CHARACTERS]
        decision = Decision(kind="stop", step=FINISH, reason=reason)
        words = self._stores.catalog.find_words(at.agent).stopped
        return self._end(self._stores.get_run(at), stop_id(at.run_id, FINISH), words, decision, ())

    def _end(
        self,
        run: Run,
        message_id: str,
        text: str,
        decision: Decision,
        notices: tuple[str, ...],
        *,
        degraded: bool = False,
    ) -> dict[str, Any]:
        stores = self._stores
        stored = stores.runs.find_step(run.tenant_id, run.run_id, FINISH)
        if stored is None:
            now = stores.now()
            stored = Step(
                tenant_id=run.tenant_id,
                run_id=run.run_id,
                step=FINISH,
                decision=decision,
                message_seq=self._append_message(run, message_id, text),
                notices=notices,
                degraded=degraded,
                started_at=now,
                duration_ms=0,
            )
            stores.runs.record_step(stored, [])
        return stored.decision.model_dump(mode="json", exclude_none=True)

    def _append_message(self, run: Run, message_id: str, text: str) -> int:
        """Append the assistant's message to the run's session and return its place; a repeat finds it there."""
        sessions = self._stores.sessions
        head = sessions.get(run.tenant_id, run.session_id)
        version, length = (head.version, head.length) if head is not None else (0, 0)
        last = sessions.read(run.tenant_id, run.session_id, length - 1, length - 1) if length else []
        if last and last[0].message.message_id == message_id:
            return last[0].seq
        message = Message(
            message_id=message_id,
            role="assistant",
            blocks=(TextBlock(text=text),),
            created_at=self._stores.now(),
            run_id=run.run_id,
            step=FINISH,
            taint=run.taint,
        )
        written = sessions.append(
            run.tenant_id, run.session_id, [message], expected_version=version, fence=run.fence or None
        )
        return written.length - 1
