"""all-MiniLM-L6-v2 as an embedder: lazy, thread-safe, batched, deterministic."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tokenizers import Tokenizer

from twin.embeddings.encoder import Encoder, Floats
from twin.embeddings.weights import WeightsFiles, locate_weights, verify_weights

MODEL_ID = "all-MiniLM-L6-v2"
DIMENSION = 384
MAX_TOKENS = 256
"""Longest input in tokens; the rest is cut, as the model's ``sentence_bert_config.json`` says."""

_TOKENS_PER_PASS = 2048
"""Tokens in one forward pass: enough to keep the matrix products efficient, little enough memory (13 MB)."""

_REMEMBERED = 4096
"""Vectors remembered by text (6 MB at most), because the same question is embedded again and again."""


class MiniLM:
    """Sentence embeddings: unit vectors of 384 numbers, whose dot product is the cosine similarity."""

    def __init__(self, files: WeightsFiles | None = None, *, cache_dir: Path | None = None) -> None:
        """Remember where the model is; nothing is read before the first call.

        Args:
            files: The model's files; the packaged ones by default.
            cache_dir: where the receipt of the SHA-256 check is kept; without it each object checks.
        """
        self._files = files
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None
        self._tokenizer: Tokenizer | None = None
        self._memory: OrderedDict[str, Floats] = OrderedDict()

    @property
    def loaded(self) -> bool:
        """Whether the weights are in memory already."""
        return self._encoder is not None

    def load(self) -> None:
        """Read and verify the weights now instead of at the first call.

        Raises:
            WeightsError: If they are missing or are not the published ones.
        """
        self._load_encoder()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return a matrix with one unit vector per text, in order; texts past 256 tokens are cut.

        Raises:
            WeightsError: If the weights are missing or are not the published ones.
        """
        result: Floats = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        missing: dict[str, list[int]] = {}
        with self._lock:
            for index, text in enumerate(texts):
                known = self._memory.get(text)
                if known is None:
                    missing.setdefault(text, []).append(index)
                else:
                    self._memory.move_to_end(text)
                    result[index] = known
        if missing:
            fresh = list(missing)
            for text, vector in zip(fresh, self._encode(fresh), strict=True):
                result[missing[text]] = vector
                self._remember(text, vector)
        return result

    def count_tokens(self, text: str) -> int:
        """Return the number of word pieces in a text of any length, without CLS and SEP."""
        return len(self._load_tokenizer().encode(text, add_special_tokens=False).ids)

    def token_ids(self, text: str) -> list[int]:
        """Return the ids that the encoder sees for a text: CLS, at most 254 word pieces, SEP."""
        ids = self._load_tokenizer().encode(text).ids
        # Cutting here, not in the tokenizer, lets one tokenizer count long texts as well.
        return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]

    def _encode(self, texts: Sequence[str]) -> Floats:
        encoder = self._load_encoder()
        sequences = [self.token_ids(text) for text in texts]
        result: Floats = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for batch in _group_into_passes([len(sequence) for sequence in sequences]):
            result[batch] = encoder.encode([sequences[index] for index in batch])
        return result

    def _remember(self, text: str, vector: Floats) -> None:
        with self._lock:
            self._memory[text] = vector
            while len(self._memory) > _REMEMBERED:
                self._memory.popitem(last=False)

    def _find_files(self) -> WeightsFiles:
        if self._files is None:
            self._files = locate_weights()
        return self._files

    def _load_tokenizer(self) -> Tokenizer:
        with self._lock:
            if self._tokenizer is None:
                tokenizer = Tokenizer.from_file(str(self._find_files().tokenizer))
                # The packaged file pads and cuts to 128 tokens, which is not how the model is used.
                tokenizer.no_padding()
                tokenizer.no_truncation()
                self._tokenizer = tokenizer
            return self._tokenizer

    def _load_encoder(self) -> Encoder:
        with self._lock:
            if self._encoder is None:
                files = self._find_files()
                verify_weights(files, self._cache_dir)
                # BLAS threads that wait for each other on a busy machine take three times as long as one that works.
                threadpool_limits(limits=1, user_api="blas")
                self._encoder = Encoder(files.model)
            return self._encoder


def _group_into_passes(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group indices into forward passes of a bounded number of tokens."""
    batch: list[int] = []
    tokens = 0
    for index, length in enumerate(lengths):
        if batch and tokens + length > _TOKENS_PER_PASS:
            yield batch
            batch, tokens = [], 0
        batch.append(index)
        tokens += length
    if batch:
        yield batch


def resize(vectors: Floats, dimensions: int) -> Floats:
    """Give vectors another size: longer by zero padding, which keeps cosines; shorter by cutting.

    Args:
        vectors: Unit vectors, one per row.
        dimensions: The size wanted, at least 1.
    """
    width = vectors.shape[1]
    if dimensions >= width:
        return np.pad(vectors, ((0, 0), (0, dimensions - width)))
    cut = vectors[:, :dimensions]
    norms = np.maximum(np.linalg.norm(cut, axis=1, keepdims=True), np.float32(1e-12))
    result: Floats = (cut / norms).astype(np.float32)
    return result


@lru_cache(maxsize=1)
def get_shared_model() -> MiniLM:
    """Return the process's one model, so that 90 MB of weights are in memory once."""
    return MiniLM()
