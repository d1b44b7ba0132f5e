"""Feedback on answers, and what is asked of its store."""

from datetime import datetime
from typing import Annotated, Final, Literal, Protocol

from pydantic import BeforeValidator, Field, StringConstraints

from pentad.domain.ids import AgentName, RunId, SessionId, TenantId, UserId
from pentad.domain.values import FrozenValue, Page

FEEDBACK_CHARACTERS: Final = 2000
"""Of a correction, and of a comment."""
MAX_EARLIER: Final = 10
"""Earlier words of one person on one thing that are kept; of more, the oldest go."""
KEY_DAYS: Final = 7
"""How long the key of a request is known."""
CORRECTED: Final = "pentad.answer.corrected"
"""The event that tells of a correction by the run's own user; it names the feedback, and has no words."""
ANSWER_CHARACTERS: Final = 4000
"""Of the answer that is corrected: what is needed to understand the correction."""
WAIT_DAYS: Final = 14
"""How long a correction waits; as long as its message may stand in the dead-letter queue."""
Verdict = Literal["correct", "wrong"]
_UNDECIDED: Final = 0.5


def _check_number(value: object) -> object:
    """Return a number as JSON has it: neither a flag nor digits in quotes is one."""
    if isinstance(value, bool | str):
        raise ValueError("must be a number from 0 to 1")
    return value


FeedbackText = Annotated[str, StringConstraints(min_length=1, max_length=FEEDBACK_CHARACTERS, pattern=r"\S")]
Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), BeforeValidator(_check_number)]


class FeedbackWords(FrozenValue):
    """What somebody says of an answer, or of one of its citations."""

    score: Score | None = Field(default=None, description="1 is right or good, 0 is wrong or bad")
    correction: FeedbackText | None = Field(default=None, description="what it should have said")
    comment: FeedbackText | None = Field(default=None, description="anything else")

    @property
    def verdict(self) -> Verdict | None:
        """What it says of the answer: above 0.5 correct, below wrong, and a correction without a score is wrong.

        None where it says neither: 0.5, or a comment alone.
        """
        if self.score is not None and self.score != _UNDECIDED:
            return "correct" if self.score > _UNDECIDED else "wrong"
        return "wrong" if self.score is None and self.correction is not None else None


class EarlierFeedback(FeedbackWords):
    """What somebody had said before, and when."""

    given_at: datetime


class Feedback(FeedbackWords):
    """What one person says of one thing: a run's answer, or one of its citations. The newest words count."""

    tenant_id: TenantId
    run_id: RunId
    feedback_id: str = Field(max_length=40)
    by: str = Field(max_length=200, description="who gave it: the user, else key:ID")
    user_id: UserId | None = Field(default=None, description="the user who gave it; none where a key without one did")
    citation: str | None = Field(default=None, max_length=100, description="the citation's marker; none: the answer")
    agent: AgentName
    session_id: SessionId
    run_user_id: UserId | None = Field(default=None, description="the user of the run")
    is_fork: bool = Field(default=False, description="the run is a fork: an experiment, no user's conversation")
    step: int | None = Field(default=None, ge=1, description="the turn that answered; none where no agent's turn did")
    confidence: float | None = Field(default=None, ge=0, le=1, description="of that turn, where it was rated")
    given_at: datetime = Field(description="when the first words came")
    changed_at: datetime = Field(description="when these words came")
    version: int = Field(default=1, ge=1, description="grows by one with each change; a change is conditional on it")
    earlier: tuple[EarlierFeedback, ...] = Field(default=(), max_length=MAX_EARLIER, description="the newest first")

    @property
    def is_told_to_memory(self) -> bool:
        """Whether the run's own user corrects the answer: memory learns of it as of what the user says."""
        return self.correction is not None and self.user_id is not None and self.user_id == self.run_user_id

    @property
    def words(self) -> FeedbackWords:
        """The newest words alone."""
        return FeedbackWords(score=self.score, correction=self.correction, comment=self.comment)


class GivenCorrection(FrozenValue):
    """What a user says an answer should have been. Each change of it is another version."""

    tenant_id: TenantId
    user_id: UserId
    feedback_id: SessionId = Field(description="stands for a session where evidence names its place")
    version: int = Field(ge=1)
    run_id: RunId
    agent: AgentName
    session_id: SessionId
    answer: str = Field(max_length=ANSWER_CHARACTERS)
    answered_at: datetime
    text: str = Field(min_length=1)
    given_at: datetime
    taint: tuple[str, ...] = Field(default=(), description="sources of untrusted text that led to the answer")


class FeedbackKey(FrozenValue):
    """The caller's key of a request on a run, and what it was for: a repeat changes nothing."""

    key_hash: str = Field(max_length=64, description="of who sent it and of the key")
    request_hash: str = Field(max_length=64)
    feedback_id: str = Field(max_length=40)


class FeedbackStore(Protocol):
    """Feedback, beside its run."""

    def find(self, tenant_id: str, run_id: str, feedback_id: str) -> Feedback | None:
        """Return what one person says of one thing, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def save(
        self, feedback: Feedback, key: FeedbackKey | None = None, correction: GivenCorrection | None = None
    ) -> bool:
        """Store it with its request's key and what memory is to learn from, all or nothing; tell whether it was stored.

        It is not where what stands there is not of the version before (1: nothing stands there), or the key is known.

        Raises:
            NotFound: there is no such run.
            StoreUnavailable: the store did not answer.
        """
        ...

    def find_key(self, tenant_id: str, run_id: str, key_hash: str) -> FeedbackKey | None:
        """Return what a request's key was for, or None where it is not known (any more)."""
        ...

    def note_key(self, tenant_id: str, run_id: str, key: FeedbackKey) -> None:
        """Keep the key of a request that changed nothing; one that is known stays as it is."""
        ...

    def list_for_run(self, tenant_id: str, run_id: str) -> list[Feedback]:
        """Return what was said of a run, the first first; at most 500."""
        ...

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Feedback]:
        """Return the tenant's feedback, what was first given last coming first.

        Raises:
            NotFound: the cursor is not one of this list.
        """
        ...
