"""Vectors move from one store to another."""

from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.domain.values import Page
from pentad.memory.migration.migrate import BATCH, Moved, migrate
from pentad.memory.retrieval.adapters.vectors_memory import MAX_METADATA_BYTES, MemoryVectors
from pentad.memory.retrieval.ports import StoreCapabilities, Vector


def fill(store: MemoryVectors, count: int, tenant: str = "acme") -> None:
    store.upsert(
        tenant,
        [
            Vector(vector_id=f"v{n:04}", values=(1, n, 1), text=f"account {n}", metadata={"document": f"d{n}"})
            for n in range(count)
        ],
    )


class LateVectors(MemoryVectors):
    """A store that lists what was stored after some looks only."""

    looks = 3

    @property
    def capabilities(self) -> StoreCapabilities:
        return super().capabilities.model_copy(update={"consistency": "eventual"})

    def list_ids(self, tenant_id: str, **options: Any) -> Page[str]:
        self.looks -= 1
        return super().list_ids(tenant_id, **options) if self.looks < 0 else Page(items=())


class FrailVectors(MemoryVectors):
    """A store that fails after some batches."""

    batches = 2

    def upsert(self, tenant_id: str, vectors: Any) -> None:
        self.batches -= 1
        if self.batches < 0:
            raise StoreUnavailable("gone")
        super().upsert(tenant_id, vectors)


def test_all_of_a_tenant_arrive_and_nobody_elses() -> None:
    source, target = MemoryVectors(3), MemoryVectors(3)
    fill(source, 2 * BATCH + 7)
    fill(source, 3, "other")
    reports: list[int] = []
    moved = migrate(source, target, "acme", report=lambda one: reports.append(one.read))
    assert (moved.read, moved.copied, moved.same, moved.verified) == (207, 207, 0, True)
    assert reports == [100, 200, 207]
    names = [f"v{n:04}" for n in range(207)]
    assert target.fetch("acme", names) == source.fetch("acme", names)
    assert target.list_ids("other").items == ()


def test_a_repeat_copies_only_what_is_missing_or_differs() -> None:
    source, target = MemoryVectors(3), MemoryVectors(3)
    fill(source, 20)
    migrate(source, target, "acme")
    [one, two, three] = [source.fetch("acme", [name])[name] for name in ("v0001", "v0002", "v0003")]
    source.upsert("acme", [one.model_copy(update={"metadata": {"document": "new"}})])
    source.upsert("acme", [two.model_copy(update={"values": (0.0, 0.0, 1.0)})])
    source.upsert("acme", [three.model_copy(update={"text": "other words"})])
    target.delete("acme", ["v0004"])
    moved = migrate(source, target, "acme")
    assert (moved.copied, moved.same, moved.verified) == (4, 16, True)
    assert target.fetch("acme", ["v0001"])["v0001"].metadata == {"document": "new"}


def test_what_was_stopped_goes_on_where_it_was() -> None:
    source, target = MemoryVectors(3), FrailVectors(3)
    fill(source, 5 * BATCH)
    with pytest.raises(StoreUnavailable):
        migrate(source, target, "acme")
    target.batches = 10
    moved = migrate(source, target, "acme")
    assert (moved.same, moved.copied, moved.verified) == (2 * BATCH, 3 * BATCH, True)


def test_a_dry_run_counts_and_writes_nothing() -> None:
    source, target = MemoryVectors(3), MemoryVectors(3)
    fill(source, 5)
    assert migrate(source, target, "acme", dry_run=True) == Moved("acme", read=5, copied=5)
    assert target.list_ids("acme").items == ()


def test_a_store_that_shows_what_it_has_later_is_looked_at_again() -> None:
    source, target = MemoryVectors(3), LateVectors(3)
    fill(source, 5)
    slept: list[float] = []
    assert migrate(source, target, "acme", sleep=slept.append).verified is True
    assert len(slept) == 3


def test_what_does_not_arrive_is_named() -> None:
    source, target = MemoryVectors(3), LateVectors(3)
    target.looks = 1000
    fill(source, 30)
    moved = migrate(source, target, "acme", sleep=lambda seconds: None)
    assert (moved.verified, len(moved.missing)) == (False, 20)


def test_metadata_that_the_other_store_does_not_take_are_counted_and_the_rest_arrives() -> None:
    class SmallVectors(MemoryVectors):
        @property
        def capabilities(self) -> StoreCapabilities:
            return super().capabilities.model_copy(update={"max_metadata_bytes": 100})

    source, target = MemoryVectors(3), SmallVectors(3)
    fill(source, 3)
    source.upsert("acme", [Vector(vector_id="big", values=(1, 0, 0), metadata={"note": "x" * 200})])
    moved = migrate(source, target, "acme")
    assert (moved.refused, moved.refusals, moved.copied, moved.verified) == (["big"], 1, 3, True)
    assert MAX_METADATA_BYTES > 200


def test_more_in_the_other_store_is_left_there_and_counted() -> None:
    source, target = MemoryVectors(3), MemoryVectors(3)
    fill(source, 3)
    fill(target, 5)
    assert migrate(source, target, "acme").extra == 2


def list_all(store: MemoryVectors) -> list[str]:
    return list(store.list_ids("acme", limit=1000).items)


def change(store: MemoryVectors, name: str, note: str) -> None:
    [one] = store.fetch("acme", [name]).values()
    store.upsert("acme", [one.model_copy(update={"metadata": {**one.metadata, "note": note}})])


def test_before_the_switch_what_the_first_store_lost_is_removed_where_that_is_asked_for() -> None:
    source, target = MemoryVectors(3), MemoryVectors(3)
    fill(source, 2 * BATCH + 5)
    migrate(source, target, "acme")
    gone = [f"v{n:04}" for n in range(0, 205, 2)]
    source.delete("acme", gone)
    tried = migrate(source, target, "acme", dry_run=True, prune=True)
    assert (tried.removed, len(list_all(target))) == (len(gone), 205)
    left = migrate(source, target, "acme")
    assert (left.removed, left.extra, len(list_all(target))) == (0, len(gone), 205)
    moved = migrate(source, target, "acme", prune=True)
    assert (moved.removed, moved.extra, moved.copied) == (len(gone), 0, 0)
    assert list_all(target) == list_all(source)


def test_after_the_switch_what_was_deleted_or_changed_there_stays_so() -> None:
    source, target = MemoryVectors(3), MemoryVectors(3)
    fill(source, 8)
    record = migrate(source, target, "acme").record
    assert sorted(record) == list_all(source)
    # Until the switch the stage writes the first store ...
    fill(source, 10)  # v0008 and v0009 come in between
    source.delete("acme", ["v0000", "v0001"])
    change(source, "v0002", "changed before the switch")
    # ... and from it on the other one.
    target.delete("acme", ["v0003"])
    change(target, "v0004", "changed after the switch")
    change(target, "v0001", "ingested again after the switch")
    target.upsert("acme", [Vector(vector_id="w0", values=(1, 1, 1), metadata={"document": "new"})])
    tried = migrate(source, target, "acme", before=record, dry_run=True)
    moved = migrate(source, target, "acme", before=record)
    for one in (tried, moved):
        assert (one.copied, one.removed, one.deleted, one.newer, one.extra) == (3, 1, 1, 1, 2)
    assert moved.verified is True
    assert list_all(target) == ["v0001", "v0002", "v0004", "v0005", "v0006", "v0007", "v0008", "v0009", "w0"]
    notes = {name: vector.metadata.get("note") for name, vector in target.fetch("acme", list_all(target)).items()}
    assert notes["v0001"] == "ingested again after the switch"
    assert notes["v0002"] == "changed before the switch"
    assert notes["v0004"] == "changed after the switch"
    again = migrate(source, target, "acme", before=record)
    assert (again.copied, again.removed, again.deleted) == (0, 0, 1)


def test_what_did_not_arrive_is_not_recorded() -> None:
    source, target = MemoryVectors(3), LateVectors(3)
    target.looks = 1000
    fill(source, 3)
    assert migrate(source, target, "acme", sleep=lambda seconds: None).record == {}


def test_vectors_of_another_dimension_are_refused_before_anything_is_read() -> None:
    with pytest.raises(ConfigurationError, match="of 3 numbers, and the other one of 4"):
        migrate(MemoryVectors(3), MemoryVectors(4), "acme")


def test_a_repeat_behind_the_switch_knows_what_the_run_before_it_brought() -> None:
    source, target = MemoryVectors(3), MemoryVectors(3)
    fill(source, 2)
    record = migrate(source, target, "acme").record
    late = Vector(vector_id="late", values=(1, 1, 1), text="x", metadata={"document": "late"})
    source.upsert("acme", [late])
    target.upsert("acme", [late.model_copy(update={"vector_id": "v0000", "metadata": {"document": "newer"}})])
    first = migrate(source, target, "acme", before=record)
    assert (first.copied, first.newer) == (1, 1)
    target.delete("acme", ["late"])  # erased where the stage looks now
    for _ in range(2):
        again = migrate(source, target, "acme", before=first.record)
        assert (again.copied, again.deleted, again.newer) == (0, 1, 1)
        assert again.record == first.record
    assert target.fetch("acme", ["late", "v0000"])["v0000"].metadata == {"document": "newer"}
    assert target.fetch("acme", ["late"]) == {}


def test_what_a_run_that_was_broken_off_brought_is_known_to_the_next_one() -> None:
    source, target = MemoryVectors(3), FrailVectors(3)
    fill(source, 3 * BATCH)
    kept: dict[str, str] = {}
    with pytest.raises(StoreUnavailable):
        migrate(source, target, "acme", before={}, keep=kept.update)
    assert sorted(kept) == list_all(target) == list_all(source)[: 2 * BATCH]
    target.batches = 1_000
    target.delete("acme", ["v0007"])  # erased where the stage looks now
    moved = migrate(source, target, "acme", before=kept, keep=kept.update)
    assert (moved.copied, moved.deleted) == (BATCH, 1)
    assert list_all(target) == [name for name in list_all(source) if name != "v0007"]
    tried: dict[str, str] = {}
    migrate(source, MemoryVectors(3), "acme", dry_run=True, keep=tried.update)
    assert tried == {}
