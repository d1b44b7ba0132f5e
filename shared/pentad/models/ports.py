"""What the other layers ask of the model gateway, and what the gateway asks of its adapters."""

# The gateway's own types are named, not loaded: other layers import this module and need neither YAML nor the catalog.
from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pentad.domain.models import CallContext, ChatReply, ChatRequest, EmbedReply


class ChatModel(Protocol):
    """One model turn: routing, fallback, retries and the ledger are behind it."""

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply.

        Args:
            request: what to send.
            deadline: ``time.time()`` by which an answer is of use; the gateway stops trying before it.

        Raises:
            ModelUnavailable: no link of the chain answered; its ``attempts`` say what became of each request.
            InvalidInput: an unknown task, tier or model.
            ContextOverflow: the conversation is too long for every model in the chain.
            Refused: every model tried declined.
            MalformedReply: no usable reply, after one repair.
            ModelCallerError: the provider rejected the request.
            BudgetExceeded: a budget is used up.
        """
        ...


class Embedder(Protocol):
    """Text to vectors."""

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        """Return one vector a text, in order, of length 1 (Euclidean norm).

        Args:
            texts: what to embed.
            context: on whose behalf.
            deadline: ``time.time()`` by which an answer is of use.
            dimensions: numbers in a vector; the deployment's where none are asked for.

        Raises:
            ModelThrottled: the provider said 429 until the deadline.
            ModelUnavailable: it did not answer until the deadline.
            InvalidInput: an empty text, more than the batch bound, or no model has that many dimensions.
        """
        ...
