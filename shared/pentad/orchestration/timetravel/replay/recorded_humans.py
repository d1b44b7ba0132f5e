"""Stand in for the humans of a replay: they are asked by the code of now, and decide what they decided then."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import Catalog
from pentad.domain.ids import approval_id
from pentad.domain.runs import Approval, ApprovalStatus, RunStatus
from pentad.orchestration.approvals.ask import Asking
from pentad.orchestration.approvals.carry_out import CarryOut
from pentad.orchestration.timetravel.recording import RECORDED
from pentad.orchestration.timetravel.replay.machine import MachineError
from pentad.orchestration.timetravel.replay.ports import ReplayStores
from pentad.orchestration.timetravel.replay.recorded_parts import Over, Tape

Json = dict[str, Any]


class RecordedHumans:
    """Both sides of the AwaitHuman state.

    Args:
        tape: the recording.
        catalog: agents, for whom to ask.
        stores: the stores of the replay.
        now: the clock.
    """

    def __init__(
        self,
        tape: Tape,
        catalog: Catalog,
        stores: ReplayStores,
        now: Callable[[], datetime],
    ) -> None:
        self._tape = tape
        self._approvals = stores.approvals
        nobody = Nobody()
        self._asking = Asking(
            catalog, stores.runs, stores.sessions, stores.approvals, nobody, nobody, stores.telemetry, now=now
        )
        self._carry_out = CarryOut(stores.runs, stores.sessions, now=now)

    def ask(self, payload: Json) -> Json:
        """Ask, and return what the execution goes on with.

        Raises:
            MachineError: States.Timeout, where nobody decided then.
            Over: nobody has decided by the end of the recording.
        """
        step = int(payload["step"])
        asked = self._asking.ask_for_step(payload["tenant"], payload["run"], step, payload["task_token"])
        recorded = self._get_recorded(step)
        self._compare(step, recorded, asked)
        if recorded.status is ApprovalStatus.EXPIRED:
            raise MachineError("States.Timeout")
        return self._decide(asked, recorded)

    def expire(self, payload: Json) -> Json:
        """Return what the execution goes on with where nobody decided."""
        step = int(payload["step"])
        asked = self._approvals.get(payload["tenant"], approval_id(payload["run"], step))
        return self._decide(asked, self._get_recorded(step))

    def _get_recorded(self, step: int) -> Approval:
        recorded = self._tape.find_step(step)
        human = recorded.human if recorded is not None else None
        cancelled = self._tape.recording.outcome.status is RunStatus.CANCELLED and step == self._tape.last
        if human is None or human.status is ApprovalStatus.PENDING or cancelled:
            raise self._tape.end(step, "a human is asked")
        return human

    def _compare(self, step: int, recorded: Approval, asked: Approval) -> None:
        findings = self._tape.findings
        findings.compare(step, "human", "kind", recorded.kind, asked.kind)
        findings.compare(step, "human", "text", recorded.text, asked.text)
        shown = [[(call.index, call.tool) for call in one.calls] for one in (recorded, asked)]
        if findings.compare(step, "human", "calls", *shown):
            raise Over

    def _decide(self, asked: Approval, recorded: Approval) -> Json:
        # What looked like a secret is masked in a recording, so the hashes are those of what is left.
        calls = tuple(
            call.model_copy(update={"arguments_hash": arguments_hash(call.arguments)}) for call in recorded.calls
        )
        decided = recorded.model_copy(update={"tenant_id": RECORDED, "version": asked.version + 1, "calls": calls})
        self._approvals.replace(decided)
        return self._carry_out(decided)


class Nobody:
    """An engine and a bus that nothing is heard of."""

    def start(self, agent: str, name: str, payload: Json) -> str:
        """Start nothing."""
        return name

    def complete_task(self, task_token: str, output: Json) -> None:
        """Wake nobody."""

    def build_execution_arn(self, agent: str, name: str) -> str:
        """Return what stands for an ARN."""
        return name

    def stop(self, execution_arn: str, *, error: str, cause: str) -> None:
        """Stop nothing."""

    def is_running(self, execution_arn: str) -> bool:
        """Count as running."""
        return True

    def get_history(self, execution_arn: str) -> list[Json]:
        """Remember nothing."""
        return []

    def publish(self, detail_type: str, detail: Json) -> None:
        """Tell nobody."""
