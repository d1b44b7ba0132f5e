"""What a turn asks of the assessor."""

from collections.abc import Sequence
from typing import Protocol

from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.messages import Message
from pentad.domain.models import ChatRequest
from pentad.domain.runs import Assessment, ToolCall


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
