"""Claude through Anthropic's own SDK. The SDK takes over a second to import, so that waits for the first request."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pentad.domain.models import ChatRequest
from pentad.models.catalog.catalog import Effort, ModelEntry
from pentad.models.providers.adapters import anthropic_wire
from pentad.models.providers.adapters.anthropic_citations import SearchResults, list_sources
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
from pentad.models.providers.outcomes import ANTHROPIC
from pentad.models.providers.ports import CredentialSource
from pentad.models.providers.request_names import build_request_headers
from pentad.models.providers.tool_schemas import describe_reply, is_closable, split_types


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
        http_client=sdk.DefaultHttpxClient(follow_redirects=False, verify=get_trust()),
        open_telemetry=False,
    )


def make_body(
    model: ModelEntry, request: ChatRequest, *, max_output_tokens: int, effort: Effort | None, strict: bool = True
) -> dict[str, Any]:
    """Return the body of a request, its schema in the form that structured output takes, or in words."""
    body = anthropic_wire.encode(model, request, max_output_tokens=max_output_tokens, effort=effort, strict=strict)
    if request.output_schema is None:
        return body
    closed = _close_schema(request.output_schema)
    if closed is not None:
        body["output_config"]["format"]["schema"] = closed
        return body
    del body["output_config"]["format"]
    if not body["output_config"]:
        del body["output_config"]
    # Behind the prompt and its cache's mark: the prompt stays the prefix that other requests share.
    body["system"] = [*body.get("system", ()), {"type": "text", "text": describe_reply(request.output_schema)}]
    return body


def _close_schema(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return a schema as structured output takes it, or None where it would lose its meaning, as a map does.

    The SDK closes objects and moves what is not supported into descriptions. It asserts where it knows no way.
    """
    split = split_types(schema)
    if not is_closable(split):
        return None
    try:
        return dict(load_sdk().transform_schema(split))
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError):
        return None


class AnthropicChat:
    """A `pentad.models.providers.ports.ProviderChat` over POST /v1/messages.

    Args:
        credentials: the key, and the base URL without ``/v1`` where it is not Anthropic's own.
        clock: seconds.
    """

    def __init__(self, credentials: CredentialSource, *, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock
        self._clients = ClientCache(_make_client)
        self._strict = StrictTools()
        self._results = SearchResults()
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
        model, sources = self._results.choose_form(model), list[str]()
        client = self._clients.get_client(get_credentials(self._credentials, anthropic_wire.NAME))
        create, named = client.messages.with_streaming_response.create, build_request_headers(request.context)

        def post(body: dict[str, Any]) -> WireReply:
            sources[:] = list_sources(body)
            return self._results.send(
                model,
                sources,
                lambda: exchange(
                    self._provider,
                    lambda limits: create(**body, extra_headers=named, timeout=limits),
                    until,
                    self._clock,
                    reject=self._credentials.forget,
                ),
            )

        encode = partial(make_body, model, request, max_output_tokens=max_output_tokens, effort=effort)
        reply = self._strict.send(model, request, lambda strict: encode(strict=strict), post)
        decode = partial(anthropic_wire.decode, model=model, request_id=reply.request_id, sources=sources)
        return decode_reply(reply, decode)
