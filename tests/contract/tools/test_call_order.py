"""Whose turn it is: in memory, and in DynamoDB as moto plays it in this process."""

from collections.abc import Callable, Iterator

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.tools.runtime.adapters.call_order_dynamodb import DynamoCallOrder
from pentad.tools.runtime.adapters.call_order_memory import MemoryCallOrder
from pentad.tools.runtime.ports import CallOrder
from tests.moto_clients import table

Clock = Callable[[], float]


@pytest.fixture
def now() -> list[float]:
    return [1_700_000_000.25]


@pytest.fixture(params=["memory", "dynamodb"])
def order(request: pytest.FixtureRequest, now: list[float]) -> Iterator[CallOrder]:
    def clock() -> float:
        return now[0]

    if request.param == "memory":
        yield MemoryCallOrder(clock)
        return
    with mock_aws():
        yield DynamoCallOrder(Table(table("transient"), "transient"), clock=clock)


def test_a_place_is_one_calls_until_it_is_given_back(order: CallOrder) -> None:
    assert order.take("acme", "bell", "a", seconds=30)
    assert not order.take("acme", "bell", "b", seconds=30)
    assert order.take("acme", "bell", "a", seconds=30)
    assert order.take("acme", "gong", "b", seconds=30)
    assert order.take("other", "bell", "b", seconds=30)
    order.give_back("acme", "bell", "b")
    assert not order.take("acme", "bell", "b", seconds=30)
    order.give_back("acme", "bell", "a")
    assert order.take("acme", "bell", "b", seconds=30)


def test_a_place_that_nobody_gave_back_is_free_after_its_time(order: CallOrder, now: list[float]) -> None:
    assert order.take("acme", "bell", "a", seconds=30)
    now[0] += 29.9
    assert not order.take("acme", "bell", "b", seconds=30)
    now[0] += 0.2
    assert order.take("acme", "bell", "b", seconds=30)
    # Who took too long takes nothing from the next one.
    order.give_back("acme", "bell", "a")
    assert not order.take("acme", "bell", "a", seconds=30)
