"""What is asked of whoever tells how sure a turn is, and of the review list: a part of `ports`, for its length."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from pentad.domain.agents import AgentSpec
from pentad.domain.messages import Message
from pentad.domain.models import ChatRequest
from pentad.domain.runs import Assessment, Review, ToolCall
from pentad.memory.ports import Page


class Assessor(Protocol):
    """Tells how sure a turn is."""

    def assess(
        self,
        agent: AgentSpec,
        request: ChatRequest,
        reply: Message,
        calls: Sequence[ToolCall],
        *,
        unknown_citations: int,
        deadline: float,
    ) -> Assessment | None:
        """Return the turn's assessment, or None where the agent asks for none.

        A source that fails counts as no signal, and is reported; it never fails the turn.

        Args:
            agent: says which sources and bands there are.
            request: what the model was sent; its context says whom to bill.
            reply: the model's message.
            calls: its tool calls as planned; none for an answer.
            unknown_citations: markers in the answer that point to no passage.
            deadline: ``time.time()`` by which an answer is of use.
        """
        ...


class ReviewStore(Protocol):
    """What was done and should be looked at."""

    def add(self, review: Review) -> bool:
        """Put it on the list and tell whether it is new; a repeat (same id) changes nothing.

        The id is that of `pentad.domain.ids.review_id`.
        """
        ...

    def get(self, tenant: str, review: str) -> Review:
        """Return one.

        Raises:
            NotFound: no such review for this tenant.
        """
        ...

    def open(self, tenant: str, *, limit: int = 50, cursor: str | None = None) -> Page[Review]:
        """Return what nobody has looked at yet, the oldest first."""
        ...

    def close(
        self,
        tenant: str,
        review: str,
        *,
        by: str,
        verdict: Literal["correct", "wrong"],
        note: str | None,
        at: datetime,
    ) -> Review:
        """Take it off the list; the same verdict again returns what is stored.

        Raises:
            NotFound: no such review.
            InvalidTransition: it was closed with another verdict.
        """
        ...
