"""What every store of segments does."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pentad.memory.turns.adapters.segments_dynamodb import DynamoSegments
from pentad.memory.turns.adapters.segments_memory import MemorySegments
from pentad.memory.turns.ports import Owner, SegmentItems, StoredSegment
from tests.contract.memory.aws import local_aws

LATER = datetime(2100, 1, 1, tzinfo=UTC)
ADA = Owner("acme", "ada", "s1")


@pytest.fixture(params=["memory", "dynamodb"])
def items(request: pytest.FixtureRequest) -> Iterator[SegmentItems]:
    if request.param == "memory":
        yield MemorySegments()
        return
    with local_aws() as (table, _):
        yield DynamoSegments(table)


def segment(number: int, version: int = 1, body: bytes = b"\x00body\xff") -> StoredSegment:
    return StoredSegment(number, version, body, LATER)


def test_segments_come_back_newest_first(items: SegmentItems) -> None:
    for number in (0, 1, 2, 10):
        assert items.put(ADA, "words", segment(number))
    assert items.list_newest(ADA, "words", 3) == [segment(10), segment(2), segment(1)]
    assert items.list_newest(ADA, "words", 99, consistent=False)[-1] == segment(0)
    assert items.list_newest(ADA, "vectors", 99) == []


def test_of_two_writers_with_one_version_one_succeeds(items: SegmentItems) -> None:
    assert items.put(ADA, "words", segment(0, 1, b"first"))
    assert not items.put(ADA, "words", segment(0, 1, b"late"))
    assert items.put(ADA, "words", segment(0, 2, b"second"))
    assert not items.put(ADA, "words", segment(0, 2, b"late"))
    assert not items.put(ADA, "words", segment(1, 2, b"there is no version before it"))
    assert items.list_newest(ADA, "words", 9) == [segment(0, 2, b"second")]


def test_a_segment_of_the_largest_size_is_kept(items: SegmentItems) -> None:
    large = segment(0, body=bytes(range(256)) * 1400)
    assert items.put(ADA, "vectors", large)
    assert items.list_newest(ADA, "vectors", 1) == [large]


def test_tenants_users_and_sessions_without_a_user_are_apart(items: SegmentItems) -> None:
    items.put(ADA, "words", segment(0))
    owners = [Owner("acme", "bob", "s1"), Owner("other", "ada", "s1"), Owner("acme", None, "s1")]
    assert [items.list_newest(owner, "words", 9) for owner in owners] == [[], [], []]
    assert items.list_newest(Owner("acme", "ada", "any"), "words", 9) == [segment(0)]
    items.put(Owner("acme", None, "s1"), "words", segment(0, body=b"session"))
    assert items.list_newest(Owner("acme", None, "s2"), "words", 9) == []


def test_a_segment_is_removed_once_and_again(items: SegmentItems) -> None:
    items.put(ADA, "words", segment(0))
    items.remove(ADA, "words", 0)
    items.remove(ADA, "words", 0)
    assert items.list_newest(ADA, "words", 9) == []
