"""Take what somebody says of an answer: the newest words of one person on one thing count, earlier ones are kept."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from pentad.domain.errors import IdempotencyConflict, InvalidInput, InvalidTransition, StoreUnavailable
from pentad.domain.ids import UserId, check_id, derive_id
from pentad.domain.runs import Run, Step
from pentad.domain.tracing import HEADER, find_run_place
from pentad.observability.feedback.feedback_span import build_feedback_span
from pentad.observability.feedback.ports import (
    ANSWER_CHARACTERS,
    CORRECTED,
    MAX_EARLIER,
    EarlierFeedback,
    Feedback,
    FeedbackKey,
    FeedbackStore,
    FeedbackWords,
    GivenCorrection,
)
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

_TRIES: Final = 8


class FeedbackRequest(FeedbackWords):
    """The body of ``POST /v1/runs/{run}/feedback``: a score, a correction or a comment, or several of them."""

    citation: str | None = Field(
        default=None, min_length=1, max_length=100, description="a marker of the answer's citations; none: the answer"
    )
    user_id: UserId | None = Field(
        default=None, description="whose it is: the run's user, where a tenant's credential passes it on"
    )


class GiveFeedback:
    """Stores feedback. That the caller may see the run was checked before.

    Args:
        store: where feedback is kept.
        publish: publishes an event: its type, and its detail.
        telemetry: metrics and logs.
        now: the clock, UTC.
    """

    def __init__(
        self,
        store: FeedbackStore,
        publish: Callable[[str, dict[str, Any]], None],
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._publish = publish
        self._telemetry = telemetry
        self._now = now

    def __call__(
        self, run: Run, step: Step | None, asked: FeedbackRequest, *, by: str, idempotency_key: str | None = None
    ) -> Feedback:
        """Return what stands now: these words, or what came after them where the request is a repeat.

        Args:
            run: what it is about.
            step: the run's last turn; None where it has none.
            asked: the words; ``user_id`` is the giver's, resolved.
            by: the user, else the key.
            idempotency_key: the caller's name for the request.

        Raises:
            InvalidInput: nothing is said, the citation is none of the answer's, the user is not the run's.
            InvalidTransition: the run has not ended.
            IdempotencyConflict: the key was used for another request on the run.
            NotFound: the run is being erased.
            StoreUnavailable: the store or the bus did not answer, or others were faster each time; again is safe.
        """
        check_request(run, asked)
        marker = find_marker(run, asked.citation)
        key = _make_key(run, asked, marker, by, idempotency_key)
        for _ in range(_TRIES):
            if key is not None and self._is_known(run, key):
                earlier = self._store.find(run.tenant_id, run.run_id, key.feedback_id)
                if earlier is not None:
                    return self._tell(run, earlier)
                key = None  # What it was for was erased.
            stored = self._store.find(run.tenant_id, run.run_id, name_feedback(run, marker, by))
            if stored is not None and stored.words == to_words(asked):
                if key is not None:
                    self._store.note_key(run.tenant_id, run.run_id, key)
                return self._tell(run, stored)
            given = self._build(run, step, asked, marker, by, stored)
            if self._store.save(given, key, build_correction(run, given)):
                self._count(given, stored)
                return self._tell(run, given)
        raise StoreUnavailable("others changed the same feedback each time", retry_after=1)

    def _is_known(self, run: Run, key: FeedbackKey) -> bool:
        """Tell whether a request came before under the same key.

        Raises:
            IdempotencyConflict: another request did.
        """
        known = self._store.find_key(run.tenant_id, run.run_id, key.key_hash)
        if known is not None and known.request_hash != key.request_hash:
            raise IdempotencyConflict(
                "the idempotency key was used for another request",
                field="idempotency_key",
                fix="use a new key for a new request, or send the first request again",
            )
        return known is not None

    def _build(
        self, run: Run, step: Step | None, asked: FeedbackRequest, marker: str | None, by: str, stored: Feedback | None
    ) -> Feedback:
        now = self._now()
        # Where a human had to agree to the answer, it may be the human's own: that says nothing of the agent's turn.
        answered = step if step is not None and run.kind == "agent" and step.decision.kind == "answer" else None
        rating = answered.assessment if answered is not None else None
        earlier: tuple[EarlierFeedback, ...] = ()
        if stored is not None:
            before = EarlierFeedback(given_at=stored.changed_at, **stored.words.model_dump())
            earlier = (before, *stored.earlier)[:MAX_EARLIER]
        return Feedback(
            tenant_id=run.tenant_id,
            run_id=run.run_id,
            feedback_id=name_feedback(run, marker, by),
            by=by,
            user_id=asked.user_id,
            citation=marker,
            agent=run.agent,
            session_id=run.session_id,
            run_user_id=run.user_id,
            is_fork=run.forked_from_run_id is not None,
            step=None if answered is None else answered.step,
            confidence=None if rating is None else rating.confidence,
            given_at=now if stored is None else stored.given_at,
            changed_at=now,
            version=1 if stored is None else stored.version + 1,
            earlier=earlier,
            **to_words(asked).model_dump(),
        )

    def _count(self, given: Feedback, before: Feedback | None) -> None:
        """Count what a person says of a thing for the first time: who changes a mind ten times is one, not ten."""
        kind = "answer" if given.citation is None else "citation"
        self._telemetry.log_event("feedback.given", run=given.run_id, feedback=given.feedback_id, kind=kind)
        if before is None:
            self._telemetry.count(
                names.FEEDBACK_GIVEN, agent=given.agent, kind=kind, outcome=given.verdict or "undecided"
            )
        if given.correction is not None and (before is None or before.correction is None):
            self._telemetry.count(names.CORRECTIONS, agent=given.agent, kind=kind)
        if given.citation is not None or given.is_fork:
            return
        if given.score is not None and (before is None or before.score is None):
            self._telemetry.count(names.SATISFACTION, given.score, unit="None", agent=given.agent)
        if given.confidence is not None and given.verdict is not None and (before is None or before.verdict is None):
            gap = (given.confidence - float(given.verdict == "correct")) ** 2
            self._telemetry.count(names.CONFIDENCE_ERROR, gap, unit="None", agent=given.agent)

    def _tell(self, run: Run, given: Feedback) -> Feedback:
        """Tell tracing products, and memory that a correction waits.

        Again is safe: it is the same span, and what was learned is not learned twice.
        """
        self._telemetry.record_span(build_feedback_span(run, given))
        if given.is_told_to_memory:
            detail = {"tenant": given.tenant_id, "run": given.run_id, "session": given.session_id}
            place = {HEADER: find_run_place(run).header}
            self._publish(CORRECTED, detail | {"feedback": given.feedback_id} | place)
        return given


def build_correction(run: Run, given: Feedback) -> GivenCorrection | None:
    """Return what memory is to learn from feedback; None where it is no correction by the run's own user."""
    if not given.is_told_to_memory or given.user_id is None or given.correction is None:
        return None
    return GivenCorrection(
        tenant_id=given.tenant_id,
        user_id=given.user_id,
        feedback_id=given.feedback_id,
        version=given.version,
        run_id=given.run_id,
        agent=given.agent,
        session_id=given.session_id,
        answer=(run.answer or "")[:ANSWER_CHARACTERS],
        answered_at=run.ended_at or run.updated_at,
        text=given.correction,
        given_at=given.changed_at,
        taint=run.taint,
    )


def to_words(asked: FeedbackWords) -> FeedbackWords:
    """Return the words alone, without blanks around them."""

    def strip(text: str | None) -> str | None:
        return None if text is None else text.strip()

    return FeedbackWords(score=asked.score, correction=strip(asked.correction), comment=strip(asked.comment))


def name_feedback(run: Run, marker: str | None, by: str) -> str:
    """Return the id of what one person says of one thing."""
    return derive_id("fbk", run.tenant_id, run.run_id, marker or "", by)


def check_request(run: Run, asked: FeedbackRequest) -> None:
    """Return if the feedback can be of the run.

    Raises:
        InvalidInput: it says nothing, or is another user's.
        InvalidTransition: the run has not ended.
    """
    if asked.score is None and asked.correction is None and asked.comment is None:
        raise InvalidInput("the feedback says nothing", field="score", fix="send a score, a correction or a comment")
    if not run.status.ended:
        raise InvalidTransition(
            f"the run is {run.status}: there is no answer yet", field="run", fix="wait until it has ended"
        )


def find_marker(run: Run, citation: str | None) -> str | None:
    """Return the marker of a citation of the run's answer: by its marker, or the name in it.

    Raises:
        InvalidInput: the answer has no such citation.
    """
    if citation is None:
        return None
    wanted = citation.strip().lower()
    for one in run.citations:
        if wanted in {one.marker.lower(), one.marker.lower().removeprefix("[cite:").removesuffix("]")}:
            return one.marker
    raise InvalidInput(
        "the run's answer has no such citation", field="citation", fix="use a 'marker' of the run's citations"
    )


def check_giver(run: Run, named: str | None) -> None:
    """Return if a credential of the tenant may pass on feedback of the user that it names.

    Raises:
        InvalidInput: the run is not that user's, who can't have seen it.
    """
    if named is not None and check_id("user", named) != run.user_id:
        raise InvalidInput("the run is not this user's", field="user", fix="name the run's user, or leave 'user' out")


def _make_key(
    run: Run, asked: FeedbackRequest, marker: str | None, by: str, idempotency_key: str | None
) -> FeedbackKey | None:
    if idempotency_key is None:
        return None
    check_id("idempotency_key", idempotency_key)
    request = asked.model_copy(update={"citation": marker, **to_words(asked).model_dump()}).model_dump_json()
    return FeedbackKey(
        key_hash=_hash(f"{by}\x00{idempotency_key}"),
        request_hash=_hash(request),
        feedback_id=name_feedback(run, marker, by),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
