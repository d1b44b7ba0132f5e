"""What several vector stores do alike to what they store: units, labels to filter by, batches. Pure."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from pentad.domain.errors import ConfigurationError

Item = TypeVar("Item")
MAX_LABEL_BYTES = 200
"""A label that is longer is stored as its hash: indexes hold short keys."""


def make_unit(values: Sequence[float]) -> list[float]:
    """Return a vector's direction, of length 1; all zeros stay so."""
    largest = max(map(abs, values), default=0.0)
    if not largest:
        return list(values)
    scaled = [value / largest for value in values]
    norm = math.hypot(*scaled)
    return [value / norm for value in scaled]


def make_label(name: str, value: str) -> str:
    """Return a field and its value as one string without control characters, another one for each pair."""
    label = f"{name}={json.dumps(value)}"
    if len(label) <= MAX_LABEL_BYTES:
        return label
    return f"{name}=#{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"


def list_labels_of(metadata: Mapping[str, object]) -> list[str]:
    """Return the labels by which a vector is found: of each field that is a string or a list of them."""
    labels: list[str] = []
    for name, value in metadata.items():
        values = value if isinstance(value, list) else [value]
        labels += [make_label(name, one) for one in values if isinstance(one, str)]
    return list(dict.fromkeys(labels))


def list_wanted_labels(name: str, wanted: str | tuple[str, ...]) -> list[str]:
    """Return the labels of which one must be among a vector's to meet a condition."""
    return [make_label(name, value) for value in ((wanted,) if isinstance(wanted, str) else wanted)]


def dump_metadata(metadata: Mapping[str, object]) -> str:
    """Return metadata as JSON in ASCII, which every store takes."""
    return json.dumps(metadata, separators=(",", ":"))


def split_batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in batches of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def check_dimension(values: Sequence[float], dimension: int | None) -> None:
    """Check that a vector has as many numbers as the index asks for; None: not known yet.

    Raises:
        ConfigurationError: it has not.
    """
    if dimension is not None and len(values) != dimension:
        raise ConfigurationError(
            f"the vector has {len(values)} numbers, and the index has vectors of {dimension}",
            fix="use the embedding model that the index was made for, or migrate to a new index",
        )
