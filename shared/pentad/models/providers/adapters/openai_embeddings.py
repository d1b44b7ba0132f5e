"""Embeddings through OpenAI's SDK. Vectors travel as base64 of little-endian float32: a quarter of the JSON."""

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from typing import Any

from pentad.domain.models import Outcome
from pentad.domain.tracing import HEADER, read_traceparent
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelEntry
from pentad.models.catalog.provider_entries import ProviderEntry
from pentad.models.providers.adapters.openai import PROVIDER, build_extra_headers, load_sdk, make_client
from pentad.models.providers.adapters.sdk import ClientCache, Provider, decode_reply, exchange, get_credentials
from pentad.models.providers.adapters.secrets import PlacedCredentials
from pentad.models.providers.exchange import ProviderFailure, ProviderVectors
from pentad.models.providers.outcomes import COMPATIBLE
from pentad.models.providers.ports import CredentialSource
from pentad.models.providers.strictjson import read_count
from pentad.models.remote.wire import decode_floats


class OpenAIEmbeddings:
    """A `pentad.models.providers.ports.ProviderEmbed` over POST /v1/embeddings of OpenAI, or a server like it.

    Args:
        credentials: the key, and the base URL with ``/v1`` where it is not OpenAI's own.
        entry: the provider, where it is another than OpenAI.
        clock: seconds.
    """

    def __init__(
        self,
        credentials: CredentialSource,
        *,
        entry: ProviderEntry | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        placed = entry is not None and entry.base_url
        self._credentials = PlacedCredentials(credentials, placed) if placed else credentials
        self._clock = clock
        self._clients = ClientCache(make_client)
        compatible = entry is not None and entry.kind == "openai_compatible"
        self._provider = (
            Provider(entry.name, load_sdk, COMPATIBLE, "x-request-id") if entry and compatible else PROVIDER
        )
        self._takes_dimensions = entry is None or not compatible or entry.dialect.dimensions

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._clients.close()

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        """Send one request; see the port."""
        until = self._clock() + timeout
        credentials = get_credentials(self._credentials, self._provider.name)
        client = self._clients.get_client(credentials)
        # The SDK asks for base64 where nothing is said; a server that knows no base64 may know "float".
        form: dict[str, Any] = {"encoding_format": "float"}
        if self._takes_dimensions:
            form = {"encoding_format": "base64", "dimensions": dimensions}
        body = {"model": model.id, "input": list(texts), **form}
        create = client.embeddings.with_streaming_response.create
        traceparent = read_traceparent()
        headers = build_extra_headers(credentials) | ({} if traceparent is None else {HEADER: traceparent})
        reply = exchange(
            self._provider,
            lambda limits: create(**body, extra_headers=headers, timeout=limits),
            until,
            self._clock,
            reject=self._credentials.forget,
        )
        return decode_reply(reply, lambda body: _decode(body, len(texts), dimensions, reply.request_id))


def _decode(body: dict[str, Any], count: int, dimensions: int, request_id: str | None) -> ProviderVectors:
    usage = _decode_usage(body.get("usage"))
    try:
        items = sorted(body["data"], key=lambda item: item["index"])
        vectors = tuple(_decode_vector(item["embedding"]) for item in items)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise ProviderFailure(Outcome.MALFORMED, "200 without vectors", request_id=request_id, usage=usage) from None
    if len(vectors) != count or any(len(vector) != dimensions for vector in vectors):
        raise ProviderFailure(
            Outcome.MALFORMED, "200 with another count or size of vectors", request_id=request_id, usage=usage
        )
    return ProviderVectors(vectors, usage, request_id)


def _decode_vector(value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        return decode_floats(base64.b64decode(value, validate=True))
    return tuple(float(number) for number in value)


def _decode_usage(usage: Any) -> Usage | None:
    read = read_count(usage, "prompt_tokens")
    return None if read is None else Usage(input_tokens=read)
