"""The BERT encoder of all-MiniLM-L6-v2 in numpy: six layers, exact GELU, mean pooling.

Sequences are laid end to end instead of being padded to a rectangle: the dense layers see one long matrix, and
attention is computed sequence by sequence. So there is no padding to mask, and none to pay for.

Source of the architecture: Devlin et al. 2019, arXiv:1810.04805, and the model's ``config.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

Floats = NDArray[np.float32]

HIDDEN = 384
LAYERS = 6
HEADS = 12
_HEAD = HIDDEN // HEADS
_EPSILON = 1e-12
_GELU_ROWS = 128
"""Rows of GELU computed at once, small enough for its temporaries to stay in the processor's cache."""


@dataclass(frozen=True)
class _Dense:
    """A linear map, stored transposed so that it is applied with one matrix product."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        y: Floats = x @ self.weight
        y += self.bias
        return y


@dataclass(frozen=True)
class _Norm:
    """Layer normalisation."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        variance = np.einsum("ij,ij->i", x, x)[:, None] / np.float32(HIDDEN)
        x *= 1.0 / np.sqrt(variance + np.float32(_EPSILON))
        x *= self.weight
        x += self.bias
        return x


@dataclass(frozen=True)
class _Layer:
    """One transformer block."""

    qkv: _Dense
    attended: _Dense
    attended_norm: _Norm
    widen: _Dense
    narrow: _Dense
    output_norm: _Norm

    def __call__(self, x: Floats, bounds: Sequence[tuple[int, int]]) -> Floats:
        mixed = self.qkv(x)
        context = np.empty_like(x)
        for start, end in bounds:
            context[start:end] = _compute_attention(mixed[start:end])
        x = self.attended_norm(self.attended(context) + x)
        return self.output_norm(self.narrow(_apply_gelu(self.widen(x))) + x)


def _compute_attention(mixed: Floats) -> Floats:
    """Scaled dot-product attention of one sequence over all heads; ``mixed`` holds query, key and value."""
    length = mixed.shape[0]
    query, key, value = mixed.reshape(length, 3, HEADS, _HEAD).transpose(1, 2, 0, 3)
    scores: Floats = query @ key.transpose(0, 2, 1)
    scores *= np.float32(1.0 / np.sqrt(_HEAD))
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    result: Floats = (scores @ value).transpose(1, 0, 2).reshape(length, HIDDEN)
    return result


def _apply_gelu(x: Floats) -> Floats:
    """Exact GELU in place, with erf from Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7)."""
    for start in range(0, x.shape[0], _GELU_ROWS):
        rows = x[start : start + _GELU_ROWS]
        z = np.abs(rows)
        z *= np.float32(1.0 / np.sqrt(2.0))
        t = np.float32(1.0) / (np.float32(1.0) + np.float32(0.3275911) * z)
        poly = t * np.float32(1.061405429)
        for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
            poly += np.float32(coefficient)
            poly *= t
        z *= z
        np.negative(z, out=z)
        np.exp(z, out=z)
        poly *= z
        np.subtract(np.float32(1.0), poly, out=poly)  # erf(|x| / sqrt 2)
        np.copysign(poly, rows, out=poly)
        poly += np.float32(1.0)
        poly *= np.float32(0.5)
        rows *= poly
    return x


class Encoder:
    """The weights and the forward pass. Immutable after construction, so it is safe under threads."""

    def __init__(self, path: Path) -> None:
        """Load the weights.

        Args:
            path: ``model.safetensors``.
        """
        tensors = load_file(path)

        def load_dense(*names: str) -> _Dense:
            weight = np.concatenate([tensors[f"{name}.weight"] for name in names])
            bias = np.concatenate([tensors[f"{name}.bias"] for name in names])
            return _Dense(np.ascontiguousarray(weight.T), bias)

        def load_norm(name: str) -> _Norm:
            return _Norm(tensors[f"{name}.weight"], tensors[f"{name}.bias"])

        self._words: Floats = tensors["embeddings.word_embeddings.weight"]
        # Only single texts are encoded, so every token has type 0: fold it into the positions.
        kinds = tensors["embeddings.token_type_embeddings.weight"]
        self._positions: Floats = tensors["embeddings.position_embeddings.weight"] + kinds[0]
        self._norm = load_norm("embeddings.LayerNorm")
        self._layers = []
        for index in range(LAYERS):
            base = f"encoder.layer.{index}"
            heads = f"{base}.attention.self"
            self._layers.append(
                _Layer(
                    qkv=load_dense(f"{heads}.query", f"{heads}.key", f"{heads}.value"),
                    attended=load_dense(f"{base}.attention.output.dense"),
                    attended_norm=load_norm(f"{base}.attention.output.LayerNorm"),
                    widen=load_dense(f"{base}.intermediate.dense"),
                    narrow=load_dense(f"{base}.output.dense"),
                    output_norm=load_norm(f"{base}.output.LayerNorm"),
                )
            )

    def encode(self, sequences: Sequence[Sequence[int]]) -> Floats:
        """Return one unit vector of 384 numbers per token sequence (each with its CLS and SEP tokens)."""
        bounds: list[tuple[int, int]] = []
        position = 0
        for sequence in sequences:
            bounds.append((position, position + len(sequence)))
            position += len(sequence)
        tokens = np.concatenate([np.asarray(sequence, dtype=np.int64) for sequence in sequences])
        places = np.concatenate([np.arange(end - start) for start, end in bounds])
        x = self._norm(self._words[tokens] + self._positions[places])
        for layer in self._layers:
            x = layer(x, bounds)
        pooled = np.stack([x[start:end].mean(axis=0) for start, end in bounds])
        norms = np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.float32(_EPSILON))
        unit: Floats = (pooled / norms).astype(np.float32)
        return unit
