"""``POST /v1/embeddings``: texts in, vectors out, as OpenAI has them."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from pentad.api.door.faults import Answer, Fault
from pentad.api.door.reading import Part, read
from pentad.api.door.targets import target
from pentad.domain.models import EmbedReply
from pentad.models.catalog.catalog import ModelCatalog
from pentad.models.remote.wire import MAX_TEXTS, encode_vector

MAX_FLOAT_TEXTS = 512
"""Vectors as JSON numbers: of 512 dimensions they stay under Lambda's 6 MB; base64 takes half of the room."""
_FLOAT_DIGITS = 9
"""Enough to tell any two float32 apart (IEEE 754)."""


class EmbeddingsBody(Part):
    """The fields of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1, max_length=200)
    input: Any
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    user: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts to embed.

        Raises:
            Fault: they are tokens, empty, or too many.
        """
        given = [self.input] if isinstance(self.input, str) else self.input
        if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
            raise Fault(
                "input: send texts; tokens are not accepted, since each model reads them differently", param="input"
            )
        most = MAX_TEXTS if self.encoding_format == "base64" else MAX_FLOAT_TEXTS
        if not 1 <= len(given) <= most:
            raise Fault(f"input: send 1 to {most} texts with encoding_format '{self.encoding_format}'", param="input")
        for index, text in enumerate(given):
            if not text.strip():
                raise Fault(f"input[{index}]: the text is empty", param=f"input[{index}]")
        return tuple(given)


def asked(fields: Mapping[str, Any], catalog: ModelCatalog) -> EmbeddingsBody:
    """Return what a request asks.

    Raises:
        Fault: a field is wrong; ``param`` says which.
    """
    for name in fields:
        if name not in EmbeddingsBody.model_fields:
            shown = name[:64]
            raise Fault(f"Unrecognized request argument supplied: {shown}", param=shown, code="unknown_parameter")
    body = read(EmbeddingsBody, fields)
    route = catalog.route(task="embed")
    first = route.links[0].model
    if target(catalog, body.model, "embedding").first != first:
        raise Fault("this deployment embeds with another model", param="model")
    configured = route.dimensions or first.dimensions
    if body.dimensions not in (None, configured):
        raise Fault(f"dimensions: must be {configured} in this deployment", param="dimensions")
    return body


def answer(body: EmbeddingsBody, reply: EmbedReply) -> Answer:
    """Return the answer to a request."""
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(vector, body.encoding_format)}
        for index, vector in enumerate(reply.vectors)
    ]
    tokens = reply.usage.total_tokens
    document = {
        "object": "list",
        "data": data,
        "model": reply.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    headers = {"x-pentad-cost-nanousd": str(reply.cost_nanousd), "x-pentad-model": f"{reply.provider}/{reply.model}"}
    return Answer(json.dumps(document, separators=(",", ":")), headers=headers)


def _vector(vector: tuple[float, ...], encoding: str) -> str | list[float]:
    if encoding == "base64":
        return encode_vector(vector)
    return [float(f"{value:.{_FLOAT_DIGITS}g}") for value in vector]
