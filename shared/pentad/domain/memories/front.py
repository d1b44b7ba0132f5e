"""What is remembered and stands in front of a session's epoch, as it was when the epoch began."""

from datetime import datetime

from pydantic import Field

from pentad.domain.memories.facts import FactKind
from pentad.domain.values import FrozenValue


class RememberedFact(FrozenValue):
    """A fact as it was given."""

    fact_id: str
    kind: FactKind
    text: str
    said_at: datetime = Field(description="when it was said last")
    taint: tuple[str, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="sources of untrusted text that led to it"
    )


class RememberedSummary(FrozenValue):
    """A summary as it was given: of these messages of the session, both included."""

    text: str
    first_seq: int = Field(ge=0)
    last_seq: int = Field(ge=0)
    partly: tuple[int, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="the newest long messages of which the ends alone were read",
    )
    partly_before: int = Field(
        default=0, ge=0, exclude_if=lambda value: not value, description="how many more of them come before these"
    )
    taint: tuple[str, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="sources of untrusted text that led to it"
    )


class Remembered(FrozenValue):
    """All that stands in front of an epoch; empty where nothing was remembered when it began."""

    facts: tuple[RememberedFact, ...] = ()
    summary: RememberedSummary | None = None
    left_out: int = Field(default=0, ge=0, description="facts that had no room")

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to show."""
        return not self.facts and self.summary is None
