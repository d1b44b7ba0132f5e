"""Buckets of tokens: in memory, and in DynamoDB as moto plays it in this process."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.tools.rates.adapters.buckets_dynamodb import DynamoTokenBuckets
from pentad.tools.rates.adapters.buckets_memory import MemoryTokenBuckets
from pentad.tools.rates.ports import TokenBuckets
from tests.moto_clients import table

NOW = 1_800_000_000_000_000
SECOND = 1_000_000


@pytest.fixture(params=["memory", "dynamodb"])
def buckets(request: pytest.FixtureRequest) -> Iterator[TokenBuckets]:
    if request.param == "memory":
        yield MemoryTokenBuckets()
        return
    with mock_aws():
        yield DynamoTokenBuckets(Table(table("transient"), "transient", sleep=lambda seconds: None))


def take(
    buckets: TokenBuckets,
    call: str,
    now: int = NOW,
    *,
    burst: int = 3,
    interval: int = 20 * SECOND,
    bucket: str = "b",
    tenant: str | None = "acme",
) -> int | None:
    return buckets.take(tenant, bucket, call, burst=burst, interval_us=interval, now_us=now)


def test_a_full_bucket_has_so_many_tokens_and_then_says_when_the_next_comes(buckets: TokenBuckets) -> None:
    assert [take(buckets, f"c{number}") for number in range(3)] == [None, None, None]
    assert take(buckets, "c4") == 20 * SECOND
    assert take(buckets, "c4", NOW + 19 * SECOND) == SECOND
    assert take(buckets, "c4", NOW + 20 * SECOND) is None
    assert take(buckets, "c5", NOW + 20 * SECOND) == 20 * SECOND


def test_a_bucket_never_holds_more_than_its_burst_however_long_nobody_came(buckets: TokenBuckets) -> None:
    take(buckets, "first")
    later = NOW + 86_400 * SECOND
    assert [take(buckets, f"d{number}", later) for number in range(4)] == [None, None, None, 20 * SECOND]


def test_the_same_call_takes_one_token_however_often_it_is_tried(buckets: TokenBuckets) -> None:
    assert [take(buckets, "same") for _ in range(5)] == [None] * 5
    assert [take(buckets, f"e{number}") for number in range(3)] == [None, None, 20 * SECOND]
    assert take(buckets, "same") is None
    # Also when the bucket was full again meanwhile.
    assert take(buckets, "same", NOW + 600 * SECOND) is None
    again = [take(buckets, f"f{number}", NOW + 600 * SECOND) for number in range(4)]
    assert again == [None, None, None, 20 * SECOND]


def test_buckets_and_tenants_are_apart_and_one_may_be_everybodys(buckets: TokenBuckets) -> None:
    assert take(buckets, "a", burst=1) is None
    assert take(buckets, "b", burst=1) is not None
    assert take(buckets, "b", burst=1, bucket="other") is None
    assert take(buckets, "b", burst=1, tenant="umbrella") is None
    assert take(buckets, "c", burst=1, tenant=None) is None
    assert take(buckets, "d", burst=1, tenant=None) is not None


def test_a_clock_that_is_behind_refuses_early_and_one_ahead_gives_what_comes_back_meanwhile(
    buckets: TokenBuckets,
) -> None:
    assert [take(buckets, f"g{number}") for number in range(2)] == [None, None]
    assert take(buckets, "behind", NOW - SECOND) == SECOND
    # Two of three tokens are taken; one comes back within the 25 s that the other clock is ahead.
    ahead = [take(buckets, f"ahead{number}", NOW + 25 * SECOND) for number in range(3)]
    assert ahead == [None, None, 15 * SECOND]
    assert take(buckets, "right") == 40 * SECOND


def test_a_bucket_that_is_in_use_all_day_forgets_old_calls_and_never_gives_more(buckets: TokenBuckets) -> None:
    taken = sum(take(buckets, f"h{number}", burst=300, interval=SECOND) is None for number in range(310))
    assert taken == 300
    assert take(buckets, "h299", burst=300, interval=SECOND) is None


@pytest.mark.parametrize("count", [128, 129, 200, 256, 257, 300, 385])
def test_a_busy_bucket_remembers_its_youngest_calls(buckets: TokenBuckets, count: int) -> None:
    for number in range(count):
        assert take(buckets, f"c{number}", burst=500, interval=SECOND) is None
    # Tries of the last 128 calls take nothing: 500 tokens are there, and so many are left.
    for number in range(count - 128, count):
        assert take(buckets, f"c{number}", burst=500, interval=SECOND) is None
    left = sum(take(buckets, f"d{number}", burst=500, interval=SECOND) is None for number in range(500 - count + 5))
    assert left == 500 - count


@pytest.mark.parametrize("burst", [1, 20])
def test_of_fifty_calls_at_once_exactly_as_many_run_as_there_are_tokens(buckets: TokenBuckets, burst: int) -> None:
    with ThreadPoolExecutor(50) as pool:
        said = list(pool.map(lambda number: take(buckets, f"i{number}", burst=burst), range(50)))
    assert said.count(None) == burst


def test_an_interleaved_update_is_seen_and_the_token_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with mock_aws():
        real = Table(table("transient"), "transient", sleep=lambda seconds: None)
        buckets = DynamoTokenBuckets(real)
        turns, update = itertools.count(), real.update

        def meet(*args: object, **kwargs: object) -> object:
            if next(turns) == 1:  # right before the first take of an empty bucket is written
                assert take(DynamoTokenBuckets(real), "other", burst=2) is None
            return update(*args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(real, "update", meet)
        assert take(buckets, "mine", burst=2) is None
        assert take(buckets, "third", burst=2) == 20 * SECOND
