"""What the other layers ask of the model gateway, and what the gateway asks of its adapters."""

from collections.abc import Sequence
from typing import Protocol

from pentad.domain.models import Attempt, CallContext, ChatReply, ChatRequest, EmbedReply


class ChatModel(Protocol):
    """One model turn: routing, fallback, retries and the ledger are behind it."""

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; ``degraded`` is set where every link of the chain was down.

        Args:
            request: what to send.
            deadline: ``time.time()`` by which an answer is of use; the gateway stops trying before it.

        Raises:
            InvalidInput: an unknown task, tier or model.
            ContextOverflow: no model of the chain holds the conversation.
            Refused: every model tried declined.
            MalformedReply: no usable reply, after one repair.
            ModelCallerError: the provider says the request is wrong.
            BudgetExceeded: a budget is used up.
        """
        ...


class Embedder(Protocol):
    """Text to vectors."""

    def embed(self, texts: Sequence[str], context: CallContext, *, deadline: float) -> EmbedReply:
        """Return one vector a text, in order, of length 1 (Euclidean norm).

        Raises:
            ModelThrottled: the provider said 429 until the deadline.
            ModelUnavailable: it did not answer until the deadline.
            InvalidInput: an empty text, or more than the batch bound.
        """
        ...


class Ledger(Protocol):
    """Every attempt on the wire, append only."""

    def record(self, attempt: Attempt) -> None:
        """Append an attempt; the same attempt_id again changes nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def of_run(self, tenant: str, run: str) -> list[Attempt]:
        """Return a run's attempts in the order they were made."""
        ...
