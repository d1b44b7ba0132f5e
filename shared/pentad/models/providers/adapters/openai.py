"""GPT through OpenAI's own SDK, on the Responses API (see `openai_wire` for why). Imported on the first request."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pentad.domain.models import ChatRequest
from pentad.models.catalog.catalog import Effort, ModelEntry
from pentad.models.providers.adapters import openai_wire
from pentad.models.providers.adapters.sdk import (
    CONNECT_SECONDS,
    ClientCache,
    Provider,
    WireReply,
    decode_reply,
    exchange,
    get_credentials,
    get_trust,
)
from pentad.models.providers.adapters.strict_tools import StrictTools
from pentad.models.providers.exchange import ProviderCredentials, ProviderReply
from pentad.models.providers.outcomes import OPENAI
from pentad.models.providers.ports import CredentialSource
from pentad.models.providers.request_names import build_request_headers


def load_sdk() -> Any:
    """Return the SDK's module, imported on the first call."""
    import openai

    return openai


def make_client(credentials: ProviderCredentials) -> Any:
    """Return an SDK client that sends each request once and goes nowhere else; for an empty key see `unsigned`."""
    sdk = load_sdk()
    return sdk.OpenAI(
        # Without a key the SDK would look for one in the environment, and send it to somebody else's server.
        api_key=credentials.api_key or "none",
        base_url=credentials.base_url or "https://api.openai.com/v1",
        max_retries=0,  # the gateway is the one retry owner
        timeout=CONNECT_SECONDS,  # each request brings its own; this one only keeps a forgotten one short
        http_client=sdk.DefaultHttpxClient(follow_redirects=False, verify=get_trust()),
    )


def build_extra_headers(credentials: ProviderCredentials) -> dict[str, Any]:
    """Return what a request's headers say of its key: where there is none, that none is to be sent."""
    return {} if credentials.api_key else {"Authorization": load_sdk().Omit()}


PROVIDER = Provider(openai_wire.NAME, load_sdk, OPENAI, "x-request-id")


class OpenAIChat:
    """A `pentad.models.providers.ports.ProviderChat` over POST /v1/responses.

    Args:
        credentials: the key, and the base URL with ``/v1`` where it is not OpenAI's own.
        clock: seconds.
    """

    def __init__(self, credentials: CredentialSource, *, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock
        self._clients = ClientCache(make_client)
        self._strict = StrictTools()

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
        client = self._clients.get_client(get_credentials(self._credentials, openai_wire.NAME))
        create, named = client.responses.with_streaming_response.create, build_request_headers(request.context)

        # As extra_body: the body is in wire form already, and to look through it for what to transform takes the
        # SDK a third of a millisecond for each message of the conversation.
        def post(body: dict[str, Any]) -> WireReply:
            return exchange(
                PROVIDER,
                lambda limits: create(extra_body=body, extra_headers=named, timeout=limits),
                until,
                self._clock,
                reject=self._credentials.forget,
            )

        encode = partial(openai_wire.encode, model, request, max_output_tokens=max_output_tokens, effort=effort)
        reply = self._strict.send(model, request, lambda strict: encode(strict=strict), post)
        return decode_reply(reply, lambda body: openai_wire.decode(body, model=model, request_id=reply.request_id))
