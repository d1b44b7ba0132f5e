"""What the other layers ask of the model gateway, and what the gateway asks of its adapters."""

# The gateway's own types are named, not loaded: other layers import this module and need neither YAML nor the catalog.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pentad.domain.models import Attempt, CallContext, ChatReply, ChatRequest, EmbedReply

if TYPE_CHECKING:
    from pentad.models.catalog import Effort, ModelEntry
    from pentad.models.exchange import Credentials, ProviderReply, ProviderVectors


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


class ProviderChat(Protocol):
    """One chat request to one provider: no retry, no fallback, one request on the wire at most."""

    def send(
        self,
        model: ModelEntry,
        request: ChatRequest,
        *,
        max_output_tokens: int,
        timeout: float,
        effort: Effort | None = None,
    ) -> ProviderReply:
        """Return the reply as it came; what it holds is not yet checked against the tools' schemas.

        Args:
            model: which model.
            request: what to send.
            max_output_tokens: the cap of the reply.
            timeout: seconds it may take in all.
            effort: how hard a thinking model should try.

        Raises:
            ProviderFailure: there is none; ``outcome`` says why.
        """
        ...


class ProviderEmbed(Protocol):
    """One embeddings request to one provider."""

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        """Return one vector a text, in order, as the provider scaled them.

        Raises:
            ProviderFailure: there are none; ``outcome`` says why.
        """
        ...


class Secrets(Protocol):
    """Where credentials are kept."""

    def get_json(self, secret_id: str) -> Mapping[str, Any]:
        """Return a secret that is a JSON object.

        Raises:
            ConfigurationError: there is none, it may not be read, or it is no JSON object.
            StoreUnavailable: the store did not answer.
        """
        ...

    def forget(self, secret_id: str) -> None:
        """Read the secret anew next time: the provider did not accept it, so it may have been rotated."""
        ...


class CredentialSource(Protocol):
    """The credential of one provider."""

    def get(self) -> Credentials:
        """Return the credential.

        Raises:
            ConfigurationError: there is none.
            StoreUnavailable: the store did not answer.
        """
        ...

    def forget(self) -> None:
        """Read it anew next time."""
        ...
