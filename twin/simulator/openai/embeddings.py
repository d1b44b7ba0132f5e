"""OpenAI's embeddings, answered by the local MiniLM model."""

from __future__ import annotations

import base64
from typing import Any

from twin.embeddings import DIMENSION, MiniLM, resize
from twin.simulator.neutral import Json
from twin.simulator.openai.wire import bad_request, check_model
from twin.simulator.tokens import count_tokens

MAX_INPUTS = 2048
MAX_INPUT_TOKENS = 8192
MAX_DIMENSIONS = 4096
"""OpenAI's limits: inputs per request, tokens per input."""


def embed(body: Any, model: MiniLM) -> Json:
    """Answer a request.

    ``dimensions`` below 384 cuts and renormalises; above it pads with zeros, which keeps cosines. Without it vectors
    have 384 numbers, whatever the name of the model: padding by guess would only make the index larger.

    Raises:
        Problem: 400 with OpenAI's wording.
    """
    check_model(body)
    texts = _read_texts(body.get("input"))
    dimensions = body.get("dimensions")
    if dimensions is not None and (not isinstance(dimensions, int) or not 1 <= dimensions <= MAX_DIMENSIONS):
        raise bad_request(f"Invalid value for 'dimensions': {dimensions}.", param="dimensions")
    form = body.get("encoding_format") or "float"
    if form not in ("float", "base64"):
        raise bad_request(
            f"Invalid value: '{form}'. Supported values are: 'float' and 'base64'.", param="encoding_format"
        )
    vectors = resize(model.embed(texts), dimensions or DIMENSION)
    data = []
    for index, vector in enumerate(vectors):
        shown: Any = vector.tolist() if form == "float" else base64.b64encode(vector.astype("<f4").tobytes()).decode()
        data.append({"object": "embedding", "index": index, "embedding": shown})
    used = sum(count_tokens(text) for text in texts)
    return {
        "object": "list",
        "data": data,
        "model": body["model"],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def _read_texts(raw: Any) -> list[str]:
    texts = [raw] if isinstance(raw, str) else raw
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) and one for one in texts):
        raise bad_request("'$.input' is invalid: it must be a non-empty string or a list of them.", param="input")
    if len(texts) > MAX_INPUTS:
        raise bad_request(f"'$.input' is invalid: at most {MAX_INPUTS} inputs.", param="input")
    for text in texts:
        if count_tokens(text) > MAX_INPUT_TOKENS:
            raise bad_request(
                f"This model's maximum context length is {MAX_INPUT_TOKENS} tokens, however you requested "
                f"{count_tokens(text)} tokens. Please reduce your prompt.",
                param="input",
                code="context_length_exceeded",
            )
    return texts
