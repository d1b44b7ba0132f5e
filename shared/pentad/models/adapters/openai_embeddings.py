"""Embeddings through OpenAI's SDK. Vectors travel as base64 of little-endian float32: a quarter of the JSON."""

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from typing import Any

from pentad.domain.models import Outcome
from pentad.domain.usage import Usage
from pentad.models.adapters import openai_wire
from pentad.models.adapters.openai import PROVIDER, make_client
from pentad.models.adapters.sdk import Clients, credentials_of, exchange
from pentad.models.catalog import ModelEntry
from pentad.models.exchange import ProviderFailure, ProviderVectors
from pentad.models.ports import CredentialSource
from pentad.models.strictjson import number
from pentad.models.wire import floats


class OpenAIEmbeddings:
    """A `pentad.models.ports.ProviderEmbed` over POST /v1/embeddings.

    Args:
        credentials: the key, and the base URL with ``/v1`` where it is not OpenAI's own.
        clock: seconds.
    """

    def __init__(self, credentials: CredentialSource, *, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock
        self._clients = Clients(make_client)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._clients.close()

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        """Send one request; see the port."""
        until = self._clock() + timeout
        client = self._clients.of(credentials_of(self._credentials, openai_wire.NAME))
        body = {"model": model.id, "input": list(texts), "dimensions": dimensions, "encoding_format": "base64"}
        create = client.embeddings.with_streaming_response.create
        try:
            reply = exchange(PROVIDER, lambda limits: create(**body, timeout=limits), until, self._clock)
        except ProviderFailure as failure:
            if failure.status == 401:
                self._credentials.forget()
            raise
        return _decode(reply.body, len(texts), dimensions, reply.request_id)


def _decode(body: dict[str, Any], count: int, dimensions: int, request_id: str | None) -> ProviderVectors:
    usage = _usage(body.get("usage"))
    try:
        items = sorted(body["data"], key=lambda item: item["index"])
        vectors = tuple(_vector(item["embedding"]) for item in items)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise ProviderFailure(Outcome.MALFORMED, "200 without vectors", request_id=request_id, usage=usage) from None
    if len(vectors) != count or any(len(vector) != dimensions for vector in vectors):
        raise ProviderFailure(
            Outcome.MALFORMED, "200 with another count or size of vectors", request_id=request_id, usage=usage
        )
    return ProviderVectors(vectors, usage, request_id)


def _vector(value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        return floats(base64.b64decode(value, validate=True))
    return tuple(float(number) for number in value)


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict) or not isinstance(usage.get("prompt_tokens"), int):
        return None
    return Usage(input_tokens=number(usage, "prompt_tokens"))
