"""What is remembered of a user: facts, preferences, behaviours that worked and corrections, each with its evidence."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from pentad.domain.ids import SessionId, TenantId, UserId
from pentad.domain.values import FrozenValue

FactKind = Literal["fact", "preference", "behaviour", "correction"]
FactSource = Literal["user", "assistant", "edit"]
FACT_CHARACTERS = 300
SUBJECT_CHARACTERS = 80
QUOTE_CHARACTERS = 500
MAX_EVIDENCE = 8
"""Kept of one fact: the first place where it was said, those that say what was wrong, and the newest ones."""


class FactEvidence(FrozenValue):
    """A place where something was said: ``message.text[start:end] == quote`` in that message's own words."""

    session_id: SessionId = Field(description="the session; of a correction of an answer the feedback's id")
    seq: int = Field(ge=0, description="of the message in its session")
    start: int = Field(ge=0, description="character offset in the message's text")
    end: int = Field(ge=1)
    quote: str = Field(min_length=1, max_length=QUOTE_CHARACTERS)
    said_at: datetime
    learned_at: datetime
    replaces: str = Field(default="", max_length=FACT_CHARACTERS, description="what it says is wrong, in its own words")
    doubt: str | None = Field(default=None, max_length=200, description="why this alone is not enough to use the fact")
    subject: str = Field(
        default="",
        max_length=SUBJECT_CHARACTERS,
        exclude_if=lambda value: not value,
        description="the subject that it was given, where the fact stands under that of what it repeats or corrects",
    )
    taint: tuple[str, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="sources of untrusted text that led to it"
    )

    @property
    def place(self) -> tuple[datetime, str, int, int]:
        """Where it stands among all that was said."""
        return (self.said_at, self.session_id, self.seq, self.start)


class Fact(FrozenValue):
    """One thing that is remembered of a user. What was true stays as history, with the time at which it ended."""

    tenant_id: TenantId
    user_id: UserId
    fact_id: str
    kind: FactKind
    text: str = Field(min_length=1, max_length=FACT_CHARACTERS, description="one sentence")
    subject: str = Field(min_length=1, max_length=SUBJECT_CHARACTERS, description="what it is about, such as home")
    value: str = Field(description="the text's normal form: equal values say the same")
    single: bool = Field(default=False, description="only one value of its subject holds at a time")
    evidence: tuple[FactEvidence, ...] = Field(default=(), max_length=MAX_EVIDENCE)
    valid_from: datetime = Field(description="when it was said")
    invalid_from: datetime | None = Field(default=None, description="when something else was said in its place")
    learned_at: datetime
    source: FactSource
    confidence: float = Field(ge=0, le=1)
    expires_at: datetime | None = Field(default=None, description="when it is no longer of use")
    supersedes: str | None = Field(default=None, description="the fact in whose place it stands")
    superseded_by: str | None = None
    doubt: str | None = Field(default=None, max_length=200, description="why it is kept and not used")
    recipe: str = Field(default="", description="the version of the extraction that found it")
    edited_at: datetime | None = Field(default=None, description="when a person last put it so")
    replaced_value: str = Field(default="", description="of an edit: the value in whose place it stands")

    def is_current(self, at: datetime) -> bool:
        """Tell whether it holds at a time: nothing stands in its place and it has not expired."""
        if self.expires_at is not None and self.expires_at <= at:
            return False
        return self.valid_from <= at and (self.invalid_from is None or self.invalid_from > at)


class ForgottenFact(FrozenValue):
    """What is left of a fact that a user had forgotten: where it was said, never what."""

    fact_id: str
    places: tuple[tuple[SessionId, int, int, int], ...] = Field(description="session, sequence number, start and end")
    forgotten_at: datetime

    def covers(self, session_id: str, seq: int, start: int, end: int) -> bool:
        """Tell whether a place shares a character with one of what was forgotten."""
        return any((session_id, seq) == (one[0], one[1]) and one[2] < end and start < one[3] for one in self.places)


class GateVerdict(FrozenValue):
    """What the write gate says of one candidate."""

    outcome: Literal["kept", "merged", "superseded", "doubted", "refused"]
    reason: str = Field(max_length=200, description="why; of what was kept, what it did")
    text: str = Field(default="", max_length=FACT_CHARACTERS, description="the candidate; none where it held a secret")
    seq: int | None = Field(default=None, description="the message that it named")
    fact_id: str | None = None


class LearnedRange(FrozenValue):
    """What was learned from a range of a session's messages, by one recipe: made once."""

    session_id: SessionId
    first_seq: int = Field(ge=0)
    last_seq: int = Field(ge=0)
    recipe: str
    learned_at: datetime
    verdicts: tuple[GateVerdict, ...] = Field(default=(), max_length=100, alias="decisions")
    notes: tuple[str, ...] = Field(default=(), max_length=10, description="what was not as usual")
