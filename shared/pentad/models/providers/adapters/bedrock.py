"""Claude on Amazon Bedrock, through Anthropic's own SDK: its client signs InvokeModel with the function's role.

The SDK has two clients. `AnthropicBedrock` calls InvokeModel at bedrock-runtime, which IAM grants model by model;
`AnthropicBedrockMantle` calls the newer bedrock-mantle endpoint, which IAM grants by project only. Least privilege
decides for the first. The body is that of the Messages API, so the wire module is Anthropic's, and thinking
signatures hold on both sides.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pentad.domain.models import ChatRequest
from pentad.models.catalog.catalog import Effort, ModelEntry
from pentad.models.catalog.provider_entries import ProviderEntry
from pentad.models.providers.adapters import anthropic_wire
from pentad.models.providers.adapters.anthropic import load_sdk, make_body
from pentad.models.providers.adapters.anthropic_citations import SearchResults, list_sources
from pentad.models.providers.adapters.sdk import (
    CONNECT_SECONDS,
    ClientCache,
    Provider,
    WireReply,
    decode_reply,
    exchange,
    get_trust,
)
from pentad.models.providers.adapters.strict_tools import StrictTools
from pentad.models.providers.exchange import ProviderCredentials, ProviderReply
from pentad.models.providers.outcomes import BEDROCK


def _get_credential_errors() -> tuple[type[Exception], ...]:
    """Return what is raised without credentials: the SDK says RuntimeError where botocore's chain ends empty."""
    from botocore.exceptions import BotoCoreError

    return (RuntimeError, BotoCoreError)


class BedrockChat:
    """A `pentad.models.providers.ports.ProviderChat` over POST /model/{id}/invoke.

    There is no key: the SDK signs with the credentials of botocore's chain, which are the role's in Lambda, and renews
    them as they expire.

    Args:
        entry: its region, where that is not the function's own, and its endpoint, where that is not AWS's.
        clock: seconds.
    """

    def __init__(self, entry: ProviderEntry, *, clock: Callable[[], float] = time.time) -> None:
        self._region = entry.region
        self._clock = clock
        self._place = ProviderCredentials("", entry.base_url)
        self._clients = ClientCache(self._make)
        self._strict = StrictTools()
        self._results = SearchResults()
        self._provider = Provider(
            entry.name, load_sdk, BEDROCK, "x-amzn-requestid", "x-amzn-errortype", _get_credential_errors
        )

    def _make(self, place: ProviderCredentials) -> Any:
        sdk = load_sdk()
        return sdk.AnthropicBedrock(
            aws_region=self._region,  # None: the SDK takes the function's own
            base_url=place.base_url,
            max_retries=0,  # the gateway is the one retry owner
            timeout=CONNECT_SECONDS,
            http_client=sdk.DefaultHttpxClient(follow_redirects=False, verify=get_trust()),
            open_telemetry=False,
        )

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
        client = self._clients.get_client(self._place)
        create = client.messages.with_streaming_response.create

        def post(body: dict[str, Any]) -> WireReply:
            sources[:] = list_sources(body)
            return self._results.send(
                model,
                sources,
                lambda: exchange(self._provider, lambda limits: create(**body, timeout=limits), until, self._clock),
            )

        encode = partial(make_body, model, request, max_output_tokens=max_output_tokens, effort=effort)
        reply = self._strict.send(model, request, lambda strict: encode(strict=strict), post)
        decode = partial(anthropic_wire.decode, model=model, request_id=reply.request_id, sources=sources)
        return decode_reply(reply, decode)
