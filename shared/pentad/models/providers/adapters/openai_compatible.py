"""Any server that speaks OpenAI's chat completions, through OpenAI's own SDK: Gemini, Ollama, vLLM, llama.cpp, ..."""

import time
from collections.abc import Callable

from pentad.domain.models import ChatRequest
from pentad.models.catalog.catalog import Effort, ModelEntry
from pentad.models.catalog.provider_entries import ProviderEntry
from pentad.models.providers.adapters import openai_compatible_wire
from pentad.models.providers.adapters.openai import build_extra_headers, load_sdk, make_client
from pentad.models.providers.adapters.sdk import ClientCache, Provider, decode_reply, exchange, get_credentials
from pentad.models.providers.adapters.secrets import PlacedCredentials
from pentad.models.providers.exchange import ProviderReply
from pentad.models.providers.outcomes import COMPATIBLE
from pentad.models.providers.ports import CredentialSource
from pentad.models.providers.request_names import build_request_headers


class OpenAICompatibleChat:
    """A `pentad.models.providers.ports.ProviderChat` over POST /chat/completions.

    Args:
        entry: where the server is, and what it understands.
        credentials: the key, and another base URL if it has one; an empty key is not sent.
        clock: seconds.
    """

    def __init__(
        self, entry: ProviderEntry, credentials: CredentialSource, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._entry = entry
        self._credentials = PlacedCredentials(credentials, entry.base_url) if entry.base_url else credentials
        self._clock = clock
        self._clients = ClientCache(make_client)
        self._provider = Provider(entry.name, load_sdk, COMPATIBLE, "x-request-id")

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._clients.close()

    def send(
        self,
        model: ModelEntry,
        request: ChatRequest,
        *,
        max_output_tokens: int,
        timeout: float,
        effort: Effort | None = None,
    ) -> ProviderReply:
        """Send one request; see the port."""
        until = self._clock() + timeout
        credentials = get_credentials(self._credentials, self._entry.name)
        client = self._clients.get_client(credentials)
        dialect = model.dialect or self._entry.dialect
        body = openai_compatible_wire.encode(
            model, request, dialect, max_output_tokens=max_output_tokens, effort=effort
        )
        create = client.chat.completions.with_streaming_response.create
        named = build_extra_headers(credentials) | build_request_headers(request.context)
        # As extra_body, for the reason that `OpenAIChat` gives; what the SDK insists on is replaced by it.
        asked = {"model": body["model"], "messages": [], "extra_body": body, "extra_headers": named}
        reply = exchange(
            self._provider,
            lambda limits: create(**asked, timeout=limits),
            until,
            self._clock,
            reject=self._credentials.forget,
        )
        return decode_reply(
            reply, lambda body: openai_compatible_wire.decode(body, model=model, request_id=reply.request_id)
        )
