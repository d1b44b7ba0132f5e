"""``POST /v1/embeddings``: texts in, vectors out, as OpenAI has them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from pentad.api.door.faults import Answer, DoorFault, build_ignored_header
from pentad.api.door.reading import Part, parse_model, split_known
from pentad.api.door.targets import resolve_target
from pentad.domain.models import EmbedReply
from pentad.models.catalog.catalog import ModelCatalog
from pentad.models.remote.wire import MAX_TEXTS, encode_vector

MAX_FLOAT_TEXTS = 512
"""Vectors as JSON numbers: of 512 dimensions they stay under Lambda's 6 MB; base64 takes half of the room."""
MAX_FLOAT_NUMBERS = MAX_FLOAT_TEXTS * 512
MAX_BASE64_NUMBERS = MAX_TEXTS * 512
_FLOAT_DIGITS = 9
"""Enough to tell any two float32 apart (IEEE 754)."""


class EmbeddingsBody(Part, extra="forbid"):
    """The fields of a request."""

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
            raise DoorFault(
                "input: send texts; tokens are not accepted, since each model reads them differently", param="input"
            )
        most = MAX_TEXTS if self.encoding_format == "base64" else MAX_FLOAT_TEXTS
        if not 1 <= len(given) <= most:
            raise DoorFault(
                f"input: send 1 to {most} texts with encoding_format '{self.encoding_format}'", param="input"
            )
        for index, text in enumerate(given):
            if not text.strip():
                raise DoorFault(f"input[{index}]: the text is empty", param=f"input[{index}]")
        return tuple(given)


def parse_request(
    fields: Mapping[str, Any], catalog: ModelCatalog, *, strict: bool = False
) -> tuple[EmbeddingsBody, list[str]]:
    """Return what a request asks, and the names of the fields that are not known and were ignored.

    Raises:
        Fault: a field is wrong, or not known where ``strict``; ``param`` says which.
    """
    known, unknown = split_known(EmbeddingsBody, fields, strict=strict)
    body = parse_model(EmbeddingsBody, known)
    route = catalog.route(task="embed")
    first = route.links[0].model
    if resolve_target(catalog, body.model, "embedding").first != first:
        raise DoorFault("this deployment embeds with another model", param="model")
    configured = route.dimensions or first.dimensions
    if body.dimensions not in (None, configured) and not first.can_make(body.dimensions):
        may = f"send 1 to {first.dimensions}" if first.shortens else f"must be {configured}"
        raise DoorFault(f"dimensions: {may} with this model", param="dimensions")
    _check_size(body)
    return body, unknown


def _check_size(body: EmbeddingsBody) -> None:
    """Return if the vectors fit one answer of Lambda: long ones, as numbers, are many bytes.

    Raises:
        Fault: they do not.
    """
    numbers = len(body.texts) * (body.dimensions or 0)
    most = MAX_FLOAT_NUMBERS if body.encoding_format == "float" else MAX_BASE64_NUMBERS
    if numbers > most:
        raise DoorFault(
            f"input: send fewer texts, or fewer dimensions: an answer has room for {most:,} numbers", param="input"
        )


def build_answer(body: EmbeddingsBody, reply: EmbedReply, ignored: Sequence[str] = ()) -> Answer:
    """Return the answer to a request; ``ignored`` are fields that were not followed."""
    data = [
        {"object": "embedding", "index": index, "embedding": _format_vector(vector, body.encoding_format)}
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
    return Answer(json.dumps(document, separators=(",", ":")), headers=headers | build_ignored_header(ignored))


def _format_vector(vector: tuple[float, ...], encoding: str) -> str | list[float]:
    if encoding == "base64":
        return encode_vector(vector)
    return [float(f"{value:.{_FLOAT_DIGITS}g}") for value in vector]
