"""Learn from a correction that a user gave of an answer: as from what the user says, through the same write gate.

The event names the feedback, and has no words: these wait among what is kept of the user. A repeat finds nothing that
waits, or what was learned already. The session says whose it is; one that was deleted meanwhile teaches nothing.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pentad.domain.errors import InvalidInput
from pentad.domain.ids import SessionId, TenantId
from pentad.domain.tracing import HEADER
from pentad.domain.values import FrozenValue
from pentad.memory.corrections.ports import CorrectionStore
from pentad.memory.remember.ports import RememberStep, Spoken, Work
from pentad.memory.sessions.ports import Session, SessionStore
from pentad.observability.feedback.ports import CORRECTED, GivenCorrection
from pentad.observability.ports import Telemetry


class CorrectedAnswer(FrozenValue):
    """What the event of a correction says."""

    tenant_id: TenantId
    session_id: SessionId
    feedback_id: SessionId
    traceparent: str | None = None


def parse_correction(detail: Any) -> CorrectedAnswer:
    """Return what an event of a correction says.

    Raises:
        InvalidInput: it is no such event.
    """
    try:
        found: Mapping[str, Any] = detail if isinstance(detail, Mapping) else {}
        return CorrectedAnswer(
            tenant_id=found["tenant"],
            session_id=found["session"],
            feedback_id=found["feedback"],
            traceparent=found.get(HEADER),
        )
    except (KeyError, ValidationError) as error:
        fix = f"send events of '{CORRECTED}'"
        raise InvalidInput("the event names no correction", field="detail", fix=fix) from error


class LearnCorrection:
    """Learns.

    Args:
        corrections: where they wait.
        sessions: say whose a session is.
        learn: learns facts from what was said.
        telemetry: logs.
    """

    def __init__(
        self, corrections: CorrectionStore, sessions: SessionStore, learn: RememberStep, telemetry: Telemetry
    ) -> None:
        self._corrections = corrections
        self._sessions = sessions
        self._learn = learn
        self._telemetry = telemetry

    def run(self, corrected: CorrectedAnswer, *, deadline: float) -> None:
        """Learn from a correction, once.

        Args:
            corrected: the event.
            deadline: ``time.time()`` by which it has to be done.

        Raises:
            StoreUnavailable: a store did not answer.
            ModelUnavailable: the model did not answer.
            BudgetExceeded: the tenant's budgets allow no call now.
        """
        head = self._sessions.get(corrected.tenant_id, corrected.session_id)
        if head is None or head.user_id is None:
            self._telemetry.log_event("correction.no_session", level="INFO")
            return
        given = self._corrections.find(head.tenant_id, head.user_id, corrected.feedback_id)
        if given is None:
            return
        self._learn.run(build_work(given, head, self._learn.recipe, deadline))
        self._corrections.remove(given)


def build_work(given: GivenCorrection, head: Session, recipe: str, deadline: float) -> Work:
    """Return a correction as a part of a conversation: the answer, and what the user says of it."""
    seq = 2 * given.version
    answer = Spoken(seq, "assistant", given.answer, _all(given.answer), given.answered_at, given.run_id, given.taint)
    said = Spoken(seq + 1, "user", given.text, _all(given.text), given.given_at, given.run_id)
    return Work(
        session=head,
        first_seq=seq,
        next_seq=seq + 2,
        messages=(),
        spoken=(answer, said) if given.answer.strip() else (said,),
        recipe=recipe,
        deadline=deadline,
        feedback_id=given.feedback_id,
    )


def _all(text: str) -> tuple[tuple[int, int], ...]:
    return ((0, len(text)),)
