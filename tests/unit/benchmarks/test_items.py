"""Sizes of items are DynamoDB's, and a change of a table is told by its items."""

from typing import Any

import pytest

from benchmarks.items import Item, Stored, compare, difference, item_size, value_size


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "häh"}, 4),
        ({"N": "12345"}, 4),
        ({"N": "-100"}, 2),
        ({"N": "0"}, 1),
        ({"B": b"1234"}, 4),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": False}]}, 8),
        ({"M": {"k": {"S": "ab"}}}, 7),
    ],
)
def test_a_value_has_its_documented_size(value: dict[str, Any], size: int) -> None:
    assert value_size(value) == size


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    assert item_size({"pk": {"S": "abc"}, "n": {"N": "7"}}) == 5 + 3


def test_a_changed_item_counts_whole_as_written_and_by_its_growth_as_net() -> None:
    kept: Item = {"a": {"S": "same"}}
    before = {"kept": kept, "changed": {"a": {"S": "x"}}}
    after = {"kept": kept, "changed": {"a": {"S": "xxx"}}, "new": {"a": {"S": "yy"}}}
    assert compare("table", before, after) == Stored("table", new=1, changed=1, bytes_written=4 + 3, bytes_net=5)


def test_a_deleted_item_is_taken_from_the_net() -> None:
    assert difference("bucket", {"a": 10, "b": 1}, {"b": 1}, 0).bytes_net == -10
