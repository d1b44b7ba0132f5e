"""Spans of a metric as one: each has its share in the values of which percentiles are computed."""

from collections import Counter

import pytest

from twin.alarms.statistics import MOST_VALUES, Bucket, join, needs_values


def fill(value: float, times: int) -> Bucket:
    bucket = Bucket()
    bucket.add(value, times)
    return bucket


def test_few_values_are_all_there() -> None:
    found = join([fill(1, 3), fill(2, 2), fill(3, MOST_VALUES - 5)])
    assert Counter(found.values) == {1: 3, 2: 2, 3: MOST_VALUES - 5}
    assert (found.count, found.total) == (MOST_VALUES, 3 + 4 + 3 * (MOST_VALUES - 5))
    assert (found.low, found.high) == (1, 3)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_many_values_each_span_has_its_share(order: tuple[int, int]) -> None:
    spans = [fill(1, 9_000), fill(100, 1_000)]
    found = join([spans[place] for place in order])
    assert Counter(found.values) == {1: MOST_VALUES * 0.9, 100: MOST_VALUES * 0.1}
    assert (found.count, found.total) == (10_000, 109_000)


def test_many_small_spans_fill_the_sample() -> None:
    found = join([fill(minute % 10, 3) for minute in range(1_440)])
    counted = Counter(found.values)
    assert sum(counted.values()) == MOST_VALUES
    assert all(abs(counted[value] - MOST_VALUES / 10) <= MOST_VALUES / 20 for value in range(10))


def test_a_span_that_is_one_joined_before_counts_as_what_was_measured() -> None:
    day = join([fill(1, 50_000), fill(1, 50_000)])
    assert len(day.values) == MOST_VALUES
    assert Counter(join([day, fill(7, 100_000)]).values) == {1: MOST_VALUES / 2, 7: MOST_VALUES / 2}


@pytest.mark.parametrize(("name", "needed"), [("Sum", False), ("SampleCount", False), ("p95", True), ("PR(:3)", True)])
def test_values_are_drawn_only_where_the_statistic_needs_them(name: str, needed: bool) -> None:
    assert needs_values(name) is needed
    assert join([fill(1, 3)], values=needs_values(name)).values == ([1] * 3 if needed else [])
