"""Copy a tenant's vectors from one store to another, without embedding again.

A repeat copies only what is missing or differs: a migration that was stopped is resumed by starting it again, and one
that runs beside the ingest is repeated until nothing is left to copy. Nothing is taken out of the store that is read.

Once the stage uses the other store, that one is right where the two differ. What changed in either since the last copy
is told by its record: without it, what was deleted (or erased) since then would come back.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pentad.domain.canonical import sha256_of
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
        extra: vectors in the other store that the one that was read has not, and that are left there.
        removed: those that were removed there, or would be.
        deleted: vectors that were copied before and are gone from the other store since: they are not copied again.
        newer: vectors that differ and were changed in the other store since: they stay as they are there.
        verified: whether the other store has each vector that was read; None in a dry run.
    """

    tenant_id: str
    read: int = 0
    same: int = 0
    copied: int = 0
    refusals: int = 0
    extra: int = 0
    removed: int = 0
    deleted: int = 0
    newer: int = 0
    refused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    verified: bool | None = None
    record: dict[str, str] = field(default_factory=dict, repr=False)
    """What arrived, as the next run is to be told it: ids, each with a hash of what is kept of it."""


def migrate(
    source: VectorStore,
    target: VectorStore,
    tenant_id: str,
    *,
    dry_run: bool = False,
    prune: bool = False,
    before: Mapping[str, str] | None = None,
    report: Callable[[Moved], None] = lambda moved: None,
    keep: Callable[[Mapping[str, str]], None] = lambda copied: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Moved:
    """Copy a tenant's vectors and check that all are there.

    Args:
        source: what is read.
        target: what is written.
        tenant_id: the tenant.
        dry_run: count what would be copied, and write nothing.
        prune: remove from the other store what the one that is read has not. Only while nothing else writes there.
        before: the record of the last copy, where the stage uses the other store since: then only what came into the
            one that is read since that copy is copied, and what was removed from it is removed.
        report: called after each batch.
        keep: is given what stands in both after each batch, as `Moved.record` has it: of a run that is broken off
            nothing else would tell that it was copied, and once it is deleted it would be brought again.
        sleep: between looks at a store that shows what was stored only later.

    Raises:
        ConfigurationError: the stores have vectors of different dimensions, or one refused.
        StoreUnavailable: a store did not answer; the next try continues.
    """
    _check_dimensions(source, target)
    moved = Moved(tenant_id)
    names: dict[str, str] = {}
    copied = dict(before or {})  # known for good: what is gone from the other store, somebody has deleted there
    for batch in _list_batches(source, tenant_id):
        vectors = source.fetch(tenant_id, batch)  # one that was deleted meanwhile is not there
        there = target.fetch(tenant_id, list(vectors))
        moved.read += len(vectors)
        wanted = [one for one in vectors.values() if _is_wanted(one, there.get(one.vector_id), target, before, moved)]
        held = {name: _hash(one) for name, one in (there | {one.vector_id: one for one in wanted}).items()}
        names |= held
        alike = {name: digest for name, digest in held.items() if digest == _hash(vectors[name])}
        copied |= alike
        if not dry_run:
            _store(target, tenant_id, wanted)
            keep(alike)
        moved.copied += len(wanted)
        report(moved)
    looks = dry_run and (prune or before is not None)
    missing, extra = ([], []) if dry_run else _verify(target, tenant_id, set(names), moved, sleep)
    extra = sorted(set(iterate_ids(target, tenant_id)) - names.keys()) if looks else extra
    stale = _find_stale(source, target, tenant_id, extra, before=before, prune=prune)
    for number in range(0, 0 if dry_run else len(stale), BATCH):
        target.delete(tenant_id, stale[number : number + BATCH])
    moved.removed, moved.extra = len(stale), len(extra) - len(stale)
    moved.record = {} if dry_run else _leave_out(copied, set(missing))
    return moved


def _store(target: VectorStore, tenant_id: str, vectors: Sequence[Vector]) -> None:
    if vectors:
        target.upsert(tenant_id, vectors)


def _leave_out(copied: Mapping[str, str], missing: set[str]) -> dict[str, str]:
    return {name: digest for name, digest in copied.items() if name not in missing}


def _is_wanted(
    vector: Vector, other: Vector | None, target: VectorStore, before: Mapping[str, str] | None, moved: Moved
) -> bool:
    """Return whether a vector is to be stored in the other store, and count it where it is not."""
    if measure_metadata(vector.metadata) > target.capabilities.max_metadata_bytes:
        moved.refusals += 1
        moved.refused += [vector.vector_id] if len(moved.refused) < MOST_NAMED else []
        return False
    if other is not None and _is_same(vector, other, words=target.capabilities.words):
        moved.same += 1
        return False
    known = None if before is None else before.get(vector.vector_id)
    if before is None or (other is None and known is None):
        return True
    if other is None:
        moved.deleted += 1
        return False
    if known == _hash(other):  # it is there as it was copied: what is read has changed since
        return True
    moved.newer += 1
    return False


def _find_stale(
    source: VectorStore,
    target: VectorStore,
    tenant_id: str,
    extra: Sequence[str],
    *,
    before: Mapping[str, str] | None,
    prune: bool,
) -> list[str]:
    """Return which vectors of the other store are to be removed, since the one that is read has them no more."""
    if not prune and before is None:
        return []
    found: list[str] = []
    for number in range(0, len(extra), BATCH):
        names = extra[number : number + BATCH]
        still = source.fetch(tenant_id, names)  # a list may be older than what is stored
        there = target.fetch(tenant_id, [name for name in names if name not in still])
        found += [name for name, one in there.items() if before is None or before.get(name) == _hash(one)]
    return found


def _hash(vector: Vector) -> str:
    """Return a short hash of a vector's metadata, which name the version of its document."""
    # Some stores give whole numbers back with a fraction.
    plain = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in vector.metadata.items()
    }
    return sha256_of(plain)[:16]


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


def _verify(
    target: VectorStore, tenant_id: str, names: set[str], moved: Moved, sleep: Callable[[float], None]
) -> tuple[list[str], list[str]]:
    """Look whether the other store has what was copied; return the ids of what it lacks, and of what else it has."""
    looks = _LOOKS if target.capabilities.consistency == "eventual" else 1
    for look in range(looks):
        there = set(iterate_ids(target, tenant_id))
        missing = sorted(names - there)
        if not missing or look == looks - 1:
            break
        sleep(_PAUSE_SECONDS)
    moved.missing = missing[:MOST_NAMED]
    moved.verified = not missing
    return missing, sorted(there - names)
