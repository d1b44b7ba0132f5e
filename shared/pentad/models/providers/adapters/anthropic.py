"""Claude through Anthropic's own SDK. The SDK takes over a second to import, so that waits for the first request."""

import time
from collections.abc import Callable
from typing import Any

from pentad.domain.models import ChatRequest, Outcome
from pentad.models.catalog.catalog import Effort, ModelEntry
from pentad.models.providers.adapters import anthropic_wire
from pentad.models.providers.adapters.sdk import CONNECT_SECONDS, ClientCache, Provider, exchange, get_credentials
from pentad.models.providers.exchange import ProviderCredentials, ProviderFailure, ProviderReply
from pentad.models.providers.outcomes import ANTHROPIC
from pentad.models.providers.ports import CredentialSource


def load_sdk() -> Any:
    """Return the SDK's module, imported on the first call."""
    import anthropic

    return anthropic


def _make_client(credentials: ProviderCredentials) -> Any:
    sdk = load_sdk()
    return sdk.Anthropic(
        api_key=credentials.api_key,
        base_url=credentials.base_url or "https://api.anthropic.com",
        max_retries=0,  # the gateway is the one retry owner
        timeout=CONNECT_SECONDS,  # each request brings its own; this one only keeps a forgotten one short
        http_client=sdk.DefaultHttpxClient(follow_redirects=False),
        open_telemetry=False,
    )


def make_body(
    model: ModelEntry, request: ChatRequest, *, max_output_tokens: int, effort: Effort | None
) -> dict[str, Any]:
    """Return the body of a request, its schema in the form that structured output takes.

    Raises:
        ProviderFailure: the schema can't be brought into that form.
    """
    body = anthropic_wire.encode(model, request, max_output_tokens=max_output_tokens, effort=effort)
    if request.output_schema is not None:
        body["output_config"]["format"]["schema"] = _close_schema(request.output_schema)
    return body


def _close_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema as structured output takes it.

    The SDK closes objects and moves what is not supported into descriptions.

    Raises:
        ProviderFailure: the schema can't be brought into that form.
    """
    try:
        return dict(load_sdk().transform_schema(schema))
    except ValueError as error:
        raise ProviderFailure(Outcome.CALLER_ERROR, "output_schema is not supported", sent=False) from error


class AnthropicChat:
    """A `pentad.models.ports.ProviderChat` over POST /v1/messages.

    Args:
        credentials: the key, and the base URL without ``/v1`` where it is not Anthropic's own.
        clock: seconds.
    """

    def __init__(self, credentials: CredentialSource, *, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock
        self._clients = ClientCache(_make_client)
        self._provider = Provider(anthropic_wire.NAME, load_sdk, ANTHROPIC, "request-id")

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
        client = self._clients.get_client(get_credentials(self._credentials, anthropic_wire.NAME))
        body = make_body(model, request, max_output_tokens=max_output_tokens, effort=effort)
        create = client.messages.with_streaming_response.create
        reply = exchange(
            self._provider,
            lambda limits: create(**body, timeout=limits),
            until,
            self._clock,
            reject=self._credentials.forget,
        )
        return anthropic_wire.decode(reply.body, model=model, request_id=reply.request_id)
