"""Anchors are written for what has grown, without a gap, and tell whatever is changed behind them."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pentad.domain.errors import StoreUnavailable
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.anchors.adapters.anchors_memory import MemoryAnchors
from pentad.observability.anchors.anchor import MAX_HEADS, NOBODY, AuditAnchor, ChainHead, find_faults, find_misfits
from pentad.observability.anchors.write import BEGAN, WINDOW, WriteAnchors, find_tenant

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
RUN, OTHER = "T#acme#AUDIT#run_1", "T#other#AUDIT#run_2"


class Key:
    """Signs with a secret of its own."""

    def __init__(self, secret: bytes = b"secret") -> None:
        self._secret = secret

    def make_code(self, message: bytes) -> bytes:
        return self._secret + message

    def has_code(self, message: bytes, code: bytes) -> bool:
        return code == self._secret + message


class Heads:
    """Ends of chains, and for which times they were asked."""

    def __init__(self) -> None:
        self.grown: list[ChainHead] = []
        self.asked: list[tuple[datetime, datetime]] = []
        self.now = NOW

    def iter_heads(self, since: datetime, until: datetime) -> Iterator[ChainHead]:
        self.asked.append((since, until))
        yield from self.grown if until == self.now else []


class World:
    def __init__(self) -> None:
        self.heads, self.store, self.now = Heads(), MemoryAnchors(), NOW

    def write(self) -> int:
        self.now += timedelta(hours=1)
        self.heads.now = self.now
        return WriteAnchors(self.heads, self.store, Key(), MemoryTelemetry(), now=lambda: self.now)()

    def list(self, tenant_id: str) -> list[AuditAnchor]:
        return list(self.store.iter_versions(tenant_id))[::-1]


def make_head(number: int, digest: str = "aa", pk: str = RUN) -> ChainHead:
    return ChainHead(pk=pk, number=number, digest=digest)


def test_each_tenant_whose_chains_grew_gets_an_anchor_and_the_deployment_a_sign_of_life() -> None:
    world = World()
    world.heads.grown = [make_head(2), make_head(5, pk=OTHER), make_head(1, pk="SYS#ACTS#switches")]
    assert world.write() == 3
    assert [one.heads for one in world.list("acme")] == [(make_head(2),)]
    assert [one.heads for one in world.list("other")] == [(make_head(5, pk=OTHER),)]
    assert [one.heads for one in world.list(NOBODY)] == [(make_head(1, pk="SYS#ACTS#switches"),)]
    world.heads.grown = []
    assert world.write() == 1
    assert [one.heads for one in world.list(NOBODY)][1:] == [()]


def test_what_an_anchor_has_said_is_not_said_again_and_the_newer_end_counts() -> None:
    world = World()
    world.heads.grown = [make_head(2)]
    world.write()
    world.heads.grown = [make_head(2), make_head(4, "cc"), make_head(3, "bb")]
    world.write()
    world.write()
    assert [one.heads for one in world.list("acme")] == [(make_head(2),), (make_head(4, "cc"),)]
    assert [one.number for one in world.list("acme")] == [1, 2]
    assert find_faults(world.list("acme"), Key()) == []


@pytest.mark.parametrize("away", [timedelta(0), timedelta(days=7), timedelta(days=30), timedelta(days=800)])
def test_it_looks_from_where_it_was_last_without_a_gap_however_long_ago_that_is(away: timedelta) -> None:
    world = World()
    world.write()
    first = list(world.heads.asked)
    assert (first[0][0], first[-1][1]) == (BEGAN, world.now)
    last = world.now
    world.now += away
    world.heads.asked.clear()
    world.write()
    asked = [*first, *world.heads.asked]
    assert (world.heads.asked[0][0], asked[-1][1]) == (last - timedelta(minutes=5), world.now)
    assert all(before[1] >= after[0] for before, after in itertools.pairwise(asked))
    assert all(end - begin <= WINDOW for begin, end in asked)


def test_a_crash_in_the_middle_of_a_long_look_leaves_no_chain_out() -> None:
    world = World()
    world.write()
    old, new = make_head(3), make_head(7, pk="SYS#ACTS#switches")
    later = NOW + timedelta(days=20)

    def crash(since: datetime, until: datetime) -> Iterator[ChainHead]:
        yield from [old, new] if since < later else []
        if since >= NOW + timedelta(days=10):
            raise StoreUnavailable("gone")

    whole, world.heads.iter_heads = world.heads.iter_heads, crash  # type: ignore[method-assign]
    world.now += timedelta(days=30)
    with pytest.raises(StoreUnavailable):
        world.write()
    assert len(world.list(NOBODY)) == 1
    world.heads.iter_heads = whole  # type: ignore[method-assign]
    world.heads.grown = [old, new]
    world.write()
    assert world.heads.asked[-5][0] < NOW + timedelta(hours=1)
    assert world.list("acme")[-1].heads == (old,)
    assert world.list(NOBODY)[-1].heads == (new,)


def test_very_many_chains_take_several_anchors() -> None:
    world = World()
    world.heads.grown = [make_head(1, pk=f"T#acme#AUDIT#run_{number:06d}") for number in range(MAX_HEADS + 1)]
    assert world.write() == 3
    assert [len(one.heads) for one in world.list("acme")] == [MAX_HEADS, 1]
    assert find_faults(world.list("acme"), Key()) == []


def test_of_two_at_once_none_takes_the_others_place() -> None:
    world = World()
    world.heads.grown = [make_head(2)]
    other = World()
    other.store = world.store
    put = world.store.put

    def meet(anchor: AuditAnchor) -> bool:
        world.store.put = put  # type: ignore[method-assign]
        other.heads.grown = [make_head(1, "zz", "T#acme#AUDIT#run_9")]
        other.write()
        return put(anchor)

    world.store.put = meet  # type: ignore[method-assign]
    world.write()
    assert [one.heads[0].number for one in world.list("acme")] == [1, 2]
    assert find_faults(world.list("acme"), Key()) == []


def test_a_store_that_never_takes_one_is_told() -> None:
    world = World()
    world.store.put = lambda anchor: False  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        world.write()


def make_row(count: int = 4) -> list[AuditAnchor]:
    world = World()
    for number in range(1, count + 1):
        world.heads.grown = [make_head(number, f"{number:02d}")]
        world.write()
    return world.list("acme")


def test_a_gap_a_fork_a_change_and_a_foreign_signature_are_told() -> None:
    row = make_row()
    assert find_faults(row, Key()) == []
    assert find_faults(row[1:], Key()) == [], "older ones may be past their time"
    assert find_faults([row[0], row[2], row[3]], Key()) == [
        "anchor 3 of 'acme' (2026-11-30 11:00 UTC) is the next after 1: 2 missing"
    ]
    assert "1 to 3" not in find_faults([row[0], row[3]], Key())[0]
    assert "2 to 3 missing" in find_faults([row[0], row[3]], Key())[0]
    fork = row[1].model_copy(update={"heads": (make_head(9, "ff"),)}).sign(Key())
    assert any("somebody wrote a fork" in fault for fault in find_faults([row[0], row[1], fork, row[2]], Key()))
    assert any("does not follow" in fault for fault in find_faults([row[0], fork, row[2]], Key()))
    changed = row[1].model_copy(update={"heads": (make_head(9, "ff"),)})
    assert any("not signed by the audit's key" in fault for fault in find_faults([row[0], changed], Key()))
    assert any("not signed by the audit's key" in fault for fault in find_faults(row, Key(b"other")))
    for code in ("", "zz", "00"):
        assert find_faults([row[0].model_copy(update={"code": code})], Key())


def test_a_time_without_anchors_is_told_where_there_must_be_some() -> None:
    world = World()
    world.write()
    world.now += timedelta(hours=9)
    world.write()
    row = world.list(NOBODY)
    assert find_faults(row, Key()) == []
    [fault] = find_faults(row, Key(), longest=timedelta(hours=3))
    assert "comes 10:00:00 after the one before it" in fault


def test_the_first_entry_that_does_not_fit_is_told() -> None:
    row = make_row()
    entries = [(number, f"{number:02d}") for number in range(1, 7)]
    assert find_misfits(RUN, entries, row) == []
    assert find_misfits(RUN, [], []) == []
    anew = entries[:2] + [(number, "xx") for number in range(3, 7)]
    [fault] = find_misfits(RUN, anew, row)
    assert fault.startswith(f"{RUN}: entry 3 is not as it was anchored at 2026-11-30 11:00 UTC by anchor 3")
    [fault] = find_misfits(RUN, anew, [row[0], row[3]])
    assert f"{RUN}: an entry from 2 to 4 is not as it was anchored" in fault
    [fault] = find_misfits(RUN, entries[:2], row)
    assert f"{RUN}: entry 3 is gone" in fault


@pytest.mark.parametrize(
    ("pk", "tenant"),
    [
        ("T#acme#AUDIT#run_1", "acme"),
        ("T#acme#ACTS#keys", "acme"),
        ("SYS#ACTS#switches", NOBODY),
        ("T#acme", NOBODY),
    ],
)
def test_a_chain_belongs_to_its_tenant(pk: str, tenant: str) -> None:
    assert find_tenant(pk) == tenant
