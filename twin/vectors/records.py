"""What a request's vectors must look like: parsing and Pinecone's limits.

Source of the limits: docs.pinecone.io/reference/api/database-limits, read 2026-11.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.vectors.errors import BadRequest

Floats = NDArray[np.float32]
Sparse = dict[int, float]

MAX_ID_CHARACTERS = 512
MAX_METADATA_BYTES = 40 * 1024
MAX_SPARSE_VALUES = 2048
MAX_UPSERT_VECTORS = 1000


@dataclass(frozen=True)
class Record:
    """One stored vector."""

    id: str
    values: Floats
    metadata: dict[str, Any] | None
    sparse: Sparse | None = None

    def as_json(self, *, values: bool = True, metadata: bool = True) -> dict[str, Any]:
        """Return the record as the data plane sends it."""
        result: dict[str, Any] = {"id": self.id, "values": self.values.tolist() if values else []}
        if values and self.sparse is not None:
            result["sparseValues"] = {"indices": list(self.sparse), "values": list(self.sparse.values())}
        if metadata and self.metadata is not None:
            result["metadata"] = self.metadata
        return result


def parse_records(raw: Any, dimension: int) -> list[Record]:
    """Return the records of an upsert.

    Raises:
        BadRequest: If any is malformed; then none is stored.
    """
    if not isinstance(raw, list) or not raw:
        raise BadRequest("No vectors provided")
    if len(raw) > MAX_UPSERT_VECTORS:
        raise BadRequest(f"Request size exceeds the limit of {MAX_UPSERT_VECTORS} vectors per upsert")
    return [_parse_record(item, dimension) for item in raw]


def _parse_record(item: Any, dimension: int) -> Record:
    if not isinstance(item, Mapping):
        raise BadRequest("Each vector must be an object")
    metadata = item.get("metadata")
    return Record(
        id=parse_id(item.get("id")),
        values=parse_values(item.get("values"), dimension, zero_allowed=False),
        metadata=None if metadata is None else parse_metadata(metadata),
        sparse=parse_sparse(item.get("sparseValues")),
    )


def parse_id(raw: Any) -> str:
    """Return a valid vector id.

    Raises:
        BadRequest: If it is empty, too long, not ASCII or not a string.
    """
    if not isinstance(raw, str) or not raw:
        raise BadRequest("Vector ID must not be empty")
    if len(raw) > MAX_ID_CHARACTERS:
        raise BadRequest(f"Vector ID must be at most {MAX_ID_CHARACTERS} characters, got {len(raw)}")
    if not raw.isascii() or "\0" in raw:
        raise BadRequest(f"Vector ID must be ASCII, but got '{raw}'")
    return raw


def parse_values(raw: Any, dimension: int, *, zero_allowed: bool = True) -> Floats:
    """Return dense values as float32.

    Raises:
        BadRequest: If they are not finite numbers of the index's dimension.
    """
    numbers = raw if isinstance(raw, list) else []
    if len(numbers) != dimension:
        raise BadRequest(f"Vector dimension {len(numbers)} does not match the dimension of the index {dimension}")
    try:
        values: Floats = np.asarray(numbers, dtype=np.float32)
    except (TypeError, ValueError) as exc:
        raise BadRequest("Vector values must be numbers") from exc
    if values.ndim != 1 or not np.isfinite(values).all():
        raise BadRequest("Vector values must be finite numbers")
    if not zero_allowed and not values.any():
        raise BadRequest("Dense vectors must contain at least one non-zero value.")
    return values


def parse_sparse(raw: Any) -> Sparse | None:
    """Return sparse values as a mapping of index to value.

    Raises:
        BadRequest: If indices and values do not pair up.
    """
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        raise BadRequest("Sparse values must be an object")
    indices, values = raw.get("indices", []), raw.get("values", [])
    if len(indices) != len(values):
        raise BadRequest("Sparse vector must have the same number of indices and values")
    if len(indices) > MAX_SPARSE_VALUES:
        raise BadRequest(f"Sparse vector size {len(indices)} is greater than the maximum {MAX_SPARSE_VALUES}")
    return {int(index): float(value) for index, value in zip(indices, values, strict=True)}


def parse_metadata(raw: Any) -> dict[str, Any]:
    """Return valid metadata.

    Raises:
        BadRequest: If a value has an unsupported type or the whole is over 40 KB.
    """
    if not isinstance(raw, Mapping):
        raise BadRequest("Metadata must be an object")
    for key, value in raw.items():
        if key.startswith("$"):
            raise BadRequest(f"Metadata key '{key}' must not start with $")
        if not _is_valid_value(value):
            shown = json.dumps(value)[:80]
            raise BadRequest(
                f"Metadata value must be a string, number, boolean or list of strings, got '{shown}' for field '{key}'"
            )
    size = len(json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_METADATA_BYTES:
        raise BadRequest(f"Metadata size is {size} bytes, which exceeds the limit of {MAX_METADATA_BYTES} bytes")
    return dict(raw)


def _is_valid_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | bool | int)
