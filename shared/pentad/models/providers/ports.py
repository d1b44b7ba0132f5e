"""What the gateway asks of a provider, and of the store of its credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pentad.domain.models import ChatRequest

if TYPE_CHECKING:
    from pentad.models.catalog.catalog import Effort, ModelEntry
    from pentad.models.providers.exchange import ProviderCredentials, ProviderReply, ProviderVectors


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
            PentadError: nothing was sent: a budget does not allow it, or a store did not answer.
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

    def get(self) -> ProviderCredentials:
        """Return the credential.

        Raises:
            ConfigurationError: there is none.
            StoreUnavailable: the store did not answer.
        """
        ...

    def forget(self) -> None:
        """Read it anew next time."""
        ...
