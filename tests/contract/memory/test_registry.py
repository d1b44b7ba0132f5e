"""What every document registry does."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pentad.domain.errors import NotFound, StoreUnavailable
from pentad.domain.knowledge import Document
from pentad.memory.documents.adapters.registry_dynamodb import DynamoRegistry
from pentad.memory.documents.adapters.registry_memory import MemoryRegistry
from pentad.memory.documents.ports import DocumentRegistry
from tests.contract.memory.aws import local_aws

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "dynamodb"])
def registry(request: pytest.FixtureRequest, clock: Clock) -> Iterator[DocumentRegistry]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryRegistry(clock=clock)
        else:
            yield DynamoRegistry(stack.enter_context(local_aws())[0], clock=clock)


def document(name: str = "docs/ä b.md", **changes: Any) -> Document:
    fields: dict[str, Any] = {
        "tenant": "acme",
        "name": name,
        "version": "v1",
        "status": "indexed",
        "media_type": "text/markdown",
        "bytes": 10,
        "chunks": 1,
        "embedded": 1,
        "indexed_at": START,
    }
    return Document(**fields | changes)


def test_what_is_not_there_is_none(registry: DocumentRegistry) -> None:
    assert registry.get("acme", "x") is None
    assert registry.get_chunks("acme", "x") == {}


def test_an_entry_and_its_chunks_come_back(registry: DocumentRegistry) -> None:
    registry.put(document(), {"c1": "h1", "c2": "h2"})
    assert registry.get("acme", "docs/ä b.md") == document()
    assert registry.get_chunks("acme", "docs/ä b.md") == {"c1": "h1", "c2": "h2"}
    assert registry.get("other", "docs/ä b.md") is None


def test_ten_thousand_chunks_come_back_and_fewer_replace_them(registry: DocumentRegistry) -> None:
    many = {f"{n:016x}#{n:032x}": f"{n:064x}" for n in range(10_000)}
    registry.put(document(), many)
    assert registry.get_chunks("acme", "docs/ä b.md") == many
    registry.put(document(), {"c1": "h1"})
    assert registry.get_chunks("acme", "docs/ä b.md") == {"c1": "h1"}
    registry.put(document(), {})
    assert registry.get_chunks("acme", "docs/ä b.md") == {}


def test_an_older_entry_never_replaces_a_newer_one(registry: DocumentRegistry) -> None:
    newer = document(version="v2", indexed_at=START + timedelta(seconds=1))
    registry.put(newer, {"c2": "h2"})
    registry.put(document(), {"c1": "h1"})
    assert registry.get("acme", "docs/ä b.md") == newer
    assert registry.get_chunks("acme", "docs/ä b.md") == {"c2": "h2"}


@pytest.mark.parametrize("ends", [False, True])
def test_what_the_holder_of_the_claim_writes_counts_though_its_clock_is_behind(
    registry: DocumentRegistry, ends: bool
) -> None:
    name = "docs/ä b.md"
    registry.put(document(version="v1", indexed_at=START + timedelta(minutes=5)), {"c1": "h1"})
    registry.acquire("acme", name, owner="one", seconds=60)
    registry.record_intent("acme", name, {"c1": "", "c2": ""}, owner="one")
    registry.put(document(version="v2"), {"c2": "h2"}, owner="one", ends=ends)
    assert registry.get("acme", name) == document(version="v2")
    assert registry.get_chunks("acme", name) == {"c2": "h2"}
    if ends:
        registry.acquire("acme", name, owner="two", seconds=60)
    else:
        with pytest.raises(StoreUnavailable):
            registry.acquire("acme", name, owner="two", seconds=60)


def test_an_intention_replaces_the_chunks_and_leaves_the_entry(registry: DocumentRegistry) -> None:
    registry.put(document(), {"c1": "h1"})
    registry.acquire("acme", "docs/ä b.md", owner="one", seconds=60)
    registry.record_intent("acme", "docs/ä b.md", {"c1": "", "c2": ""}, owner="one")
    assert registry.get("acme", "docs/ä b.md") == document()
    assert registry.get_chunks("acme", "docs/ä b.md") == {"c1": "", "c2": ""}


def test_an_intention_of_nothing_is_none(registry: DocumentRegistry) -> None:
    registry.acquire("acme", "x", owner="one", seconds=60)
    registry.record_intent("acme", "x", {}, owner="one")
    assert registry.get_chunks("acme", "x") == {}


def test_a_writer_whose_claim_another_has_taken_over_writes_nothing(registry: DocumentRegistry, clock: Clock) -> None:
    name = "docs/ä b.md"
    registry.acquire("acme", name, owner="late", seconds=30)
    registry.put(document(), {"c1": "h1"}, owner="late")
    clock.now += timedelta(seconds=31)
    registry.acquire("acme", name, owner="next", seconds=30)
    newer, chunks = document(version="v2"), {"c1": "", "c2": ""}
    with pytest.raises(StoreUnavailable):
        registry.renew("acme", name, owner="late", seconds=30)
    with pytest.raises(StoreUnavailable):
        registry.record_intent("acme", name, chunks, owner="late")
    for ends in (False, True):
        with pytest.raises(StoreUnavailable):
            registry.put(newer, chunks, owner="late", ends=ends)
    assert registry.get("acme", name) == document()
    assert registry.get_chunks("acme", name) == {"c1": "h1"}
    registry.renew("acme", name, owner="next", seconds=30)


def test_a_claim_ends_with_what_is_written_last(registry: DocumentRegistry) -> None:
    name = "docs/ä b.md"
    registry.acquire("acme", name, owner="one", seconds=60)
    registry.put(document(), {"c1": "h1"}, owner="one", ends=True)
    registry.acquire("acme", name, owner="two", seconds=60)
    with pytest.raises(StoreUnavailable):
        registry.renew("acme", name, owner="one", seconds=60)


def test_a_claim_keeps_others_off_until_it_is_released(registry: DocumentRegistry) -> None:
    registry.acquire("acme", "x", owner="one", seconds=60)
    with pytest.raises(StoreUnavailable) as error:
        registry.acquire("acme", "x", owner="two", seconds=60)
    assert error.value.retry_after == pytest.approx(60, abs=0.01)
    registry.acquire("acme", "y", owner="two", seconds=60)
    registry.release("acme", "x", owner="one")
    registry.acquire("acme", "x", owner="two", seconds=60)


def test_a_claim_of_a_crashed_owner_ends(registry: DocumentRegistry, clock: Clock) -> None:
    registry.acquire("acme", "x", owner="one", seconds=60)
    clock.now += timedelta(seconds=61)
    registry.acquire("acme", "x", owner="two", seconds=60)
    registry.release("acme", "x", owner="one")
    with pytest.raises(StoreUnavailable):
        registry.acquire("acme", "x", owner="three", seconds=60)


def test_an_owner_can_renew_its_claim(registry: DocumentRegistry, clock: Clock) -> None:
    registry.acquire("acme", "x", owner="one", seconds=60)
    clock.now += timedelta(seconds=50)
    registry.renew("acme", "x", owner="one", seconds=60)
    clock.now += timedelta(seconds=50)
    with pytest.raises(StoreUnavailable):
        registry.acquire("acme", "x", owner="two", seconds=60)


def test_documents_are_listed_by_name_page_by_page(registry: DocumentRegistry) -> None:
    for name in ("c.md", "a.md", "b.md"):
        registry.put(document(name), {"c": "h"})
    registry.put(document("z.md", tenant="other"), {})
    first = registry.list_page("acme", limit=2)
    second = registry.list_page("acme", limit=2, cursor=first.cursor)
    assert [one.name for one in (*first.items, *second.items)] == ["a.md", "b.md", "c.md"]
    assert second.cursor is None


def test_a_cursor_of_another_tenant_is_refused(registry: DocumentRegistry) -> None:
    for name in ("a.md", "b.md"):
        registry.put(document(name), {})
    cursor = registry.list_page("acme", limit=1).cursor
    with pytest.raises(NotFound):
        registry.list_page("other", cursor=cursor)
