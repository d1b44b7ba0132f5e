"""Copy a tenant's vectors from one store to another, without embedding again.

A repeat copies only what is missing or differs: a migration that was stopped is resumed by starting it again, and one
that runs beside the ingest is repeated until nothing is left to copy. Nothing is taken out of the store that is read.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pentad.domain.errors import ConfigurationError
from pentad.memory.retrieval.checks import measure_metadata
from pentad.memory.retrieval.listing import iterate_ids
from pentad.memory.retrieval.ports import Vector, VectorStore
from pentad.memory.retrieval.words import split_words

BATCH = 100
MOST_NAMED = 20
"""So many ids of each kind are kept for the report."""
_LOOKS = 10
_PAUSE_SECONDS = 2.0
_SAME = 0.999


@dataclass
class Moved:
    """What a migration did for a tenant, so far or in the end.

    Attributes:
        tenant_id: the tenant.
        read: vectors in the store that is read.
        same: those that were in the other one already.
        copied: those that were stored there; in a dry run, those that would be.
        refused: ids of vectors whose metadata the other store does not take; the first 20.
        refusals: how many those are.
        missing: ids that the other store lacks after the copy; the first 20.
        extra: vectors in the other store that the one that was read has not; they are left there.
        verified: whether the other store has each vector that was read; None in a dry run.
    """

    tenant_id: str
    read: int = 0
    same: int = 0
    copied: int = 0
    refusals: int = 0
    extra: int = 0
    refused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    verified: bool | None = None


def migrate(
    source: VectorStore,
    target: VectorStore,
    tenant_id: str,
    *,
    dry_run: bool = False,
    report: Callable[[Moved], None] = lambda moved: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Moved:
    """Copy a tenant's vectors and check that all are there.

    Args:
        source: what is read.
        target: what is written.
        tenant_id: the tenant.
        dry_run: count what would be copied, and write nothing.
        report: called after each batch.
        sleep: between looks at a store that shows what was stored only later.

    Raises:
        ConfigurationError: the stores have vectors of different dimensions, or one refused.
        StoreUnavailable: a store did not answer; the next try continues.
    """
    _check_dimensions(source, target)
    moved = Moved(tenant_id)
    most = target.capabilities.max_metadata_bytes
    names: set[str] = set()
    for batch in _list_batches(source, tenant_id):
        vectors = source.fetch(tenant_id, batch)  # one that was deleted meanwhile is not there
        there = target.fetch(tenant_id, list(vectors))
        moved.read += len(vectors)
        wanted = []
        for name, vector in vectors.items():
            if measure_metadata(vector.metadata) > most:
                moved.refusals += 1
                moved.refused += [name] if len(moved.refused) < MOST_NAMED else []
                continue
            names.add(name)
            if name in there and _is_same(vector, there[name], words=target.capabilities.words):
                moved.same += 1
            else:
                wanted.append(vector)
        if wanted and not dry_run:
            target.upsert(tenant_id, wanted)
        moved.copied += len(wanted)
        report(moved)
    if not dry_run:
        _verify(target, tenant_id, names, moved, sleep)
    return moved


def _check_dimensions(source: VectorStore, target: VectorStore) -> None:
    one, other = source.capabilities.dimension, target.capabilities.dimension
    if one is not None and other is not None and one != other:
        raise ConfigurationError(
            f"the store that is read has vectors of {one} numbers, and the other one of {other}",
            fix="make the other index for the same embedding model, or ingest the documents again",
        )


def _list_batches(store: VectorStore, tenant_id: str) -> Iterator[Sequence[str]]:
    batch: list[str] = []
    for name in iterate_ids(store, tenant_id):
        batch.append(name)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _is_same(one: Vector, other: Vector, *, words: bool) -> bool:
    """Return whether two stores hold the same: direction, metadata, and words where the other has them."""
    if one.metadata != other.metadata or len(one.values) != len(other.values):
        return False
    product = math.fsum(a * b for a, b in zip(one.values, other.values, strict=True))
    if product < _SAME * math.hypot(*one.values) * math.hypot(*other.values):
        return False
    # A store may keep the beginning of long texts only.
    mine, theirs = split_words(one.text), split_words(other.text)
    return not words or mine == theirs or (len(theirs) > 0 and mine[: len(theirs) - 1] == theirs[:-1])


def _verify(target: VectorStore, tenant_id: str, names: set[str], moved: Moved, sleep: Callable[[float], None]) -> None:
    looks = _LOOKS if target.capabilities.consistency == "eventual" else 1
    for look in range(looks):
        there = set(iterate_ids(target, tenant_id))
        missing = sorted(names - there)
        moved.extra = len(there - names)
        if not missing or look == looks - 1:
            break
        sleep(_PAUSE_SECONDS)
    moved.missing = missing[:MOST_NAMED]
    moved.verified = not missing
